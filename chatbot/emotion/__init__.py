"""Emotion of one message: GoEmotions' labels, a state to act on, where they lie in valence and arousal; and P(dissatisfied)."""

from chatbot.emotion.model_ import EmotionModel
from chatbot.emotion.reading import Reading, State

__all__ = ["EmotionModel", "Reading", "State"]
