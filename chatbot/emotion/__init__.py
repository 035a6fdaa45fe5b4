"""Emotion of one message: 28 GoEmotions labels, and where they lie in valence and arousal."""

from chatbot.emotion.model_ import EmotionModel

__all__ = ["EmotionModel"]
