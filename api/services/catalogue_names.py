"""The words of the catalogue, kept at hand: what a message names, typos mended; refreshed when the catalogue changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from api.wiring import Services
from chatbot.entities import Extractor, Lexicon
from chatbot.entities.english import is_english
from stores.catalogue import catalogue_state

log = structlog.get_logger(__name__)
FRESH_S, AT_ONCE, SURE = 60.0, 2_000, 0.5


class CatalogueNames:
    """Finds products, categories and brands in a text. A large catalogue is read in the background; until then nothing is found."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._services, self._clock = services, clock
        self._lock = threading.Lock()
        self._looked, self._state, self._busy = -FRESH_S, (-1, ""), False
        self._extractor: Extractor | None = None

    def of(self, text: str) -> list[tuple[str, str]]:
        """Return (kind, name as the catalogue writes it), in the order of the text."""
        extractor = self._current()
        if extractor is None:
            return []
        return [(one.kind, one.value) for one in extractor.extract(text) if one.confidence >= SURE]

    def knows(self, word: str) -> bool:
        """Whether every part of the word stands in the catalogue as it is written."""
        extractor = self._current()
        return extractor is not None and extractor.knows(word)

    def warm_up(self) -> None:
        """Begin to read the catalogue."""
        self._current()

    def _current(self) -> Extractor | None:
        with self._lock:
            if not self._busy and self._clock() - self._looked >= FRESH_S:
                self._looked = self._clock()
                state = catalogue_state(self._services.db)
                if state != self._state:
                    self._state = state
                    if state[0] <= AT_ONCE:
                        self._read()
                    else:
                        self._busy = True
                        threading.Thread(target=self._read, name="catalogue names", daemon=True).start()
            return self._extractor

    def _read(self) -> None:
        try:
            self._extractor = Extractor(Lexicon.build(self._services.catalogue.names()), is_english)
        except Exception as error:  # noqa: BLE001 - search works without it
            log.warning("the catalogue's names could not be read", reason=f"{type(error).__name__}: {error}"[:200])
        finally:
            self._busy = False
