"""How the assistant says things: the brand's voice, the responses, and the planner that picks the line."""

from chatbot.voice.planner import Voice, VoiceError, default_voice, voice_of

__all__ = ["Voice", "VoiceError", "default_voice", "voice_of"]
