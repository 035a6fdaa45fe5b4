"""The steps of the pipeline, in the order in which a frame passes them."""

from vision.stages.detect import Detect
from vision.stages.express import Express
from vision.stages.follow import Follow
from vision.stages.judge import Judge
from vision.stages.live import Live
from vision.stages.recognise import Recognise

__all__ = ["Detect", "Express", "Follow", "Judge", "Live", "Recognise"]
