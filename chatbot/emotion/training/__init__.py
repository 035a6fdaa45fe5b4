"""Training of the emotion model: data, network, teachers and students, export. Needs torch; serving does not."""
