"""The Rasa project. Rasa runs it in an environment of its own; `components.linear` and `components.sentences` run in ours, too."""
