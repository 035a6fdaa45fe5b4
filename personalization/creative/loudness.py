"""Loudness by ITU-R BS.1770-5 (as EBU R 128 measures it), true peak by four times oversampling, and a limiter that holds it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

Samples = NDArray[np.float32]
RATE = 48_000
"""Samples per second; the filter's coefficients are the recommendation's own for this rate."""
TARGET_LUFS = -16.0
CEILING_DBTP = -1.6
"""Below the −1 dBTP that is promised, as AAC and Opus add a little."""
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_BLOCK, _STEP = round(0.4 * RATE), round(0.1 * RATE)
_ABSOLUTE, _RELATIVE = -70.0, -10.0
_LOOK = round(0.004 * RATE)


def integrated(samples: Samples) -> float:
    """Return the integrated loudness in LUFS of (channels, n) at 48 kHz; minus infinity for silence and for less than 0.4 s."""
    weighted = signal.lfilter(*_HIGH_PASS, signal.lfilter(*_SHELF, samples.astype(np.float64), axis=1), axis=1)
    if weighted.shape[1] < _BLOCK:
        return -np.inf
    sums = np.concatenate([[0.0], np.cumsum((weighted**2).sum(0))])
    starts = np.arange(0, weighted.shape[1] - _BLOCK + 1, _STEP)
    power = (sums[starts + _BLOCK] - sums[starts]) / _BLOCK
    power = power[_lufs(power) > _ABSOLUTE]
    if not len(power):
        return -np.inf
    return float(_lufs(power[_lufs(power) > _lufs(power.mean()) + _RELATIVE].mean()))


def true_peak(samples: Samples) -> float:
    """Return the true peak in dBTP."""
    return float(20 * np.log10(max(np.abs(signal.resample_poly(samples, 4, 1, axis=1)).max(), 1e-9)))


def normalised(samples: Samples, target: float = TARGET_LUFS, ceiling: float = CEILING_DBTP) -> Samples:
    """Return the samples at the target loudness, peaks held under the ceiling; what is silent stays so."""
    out = samples
    for _ in range(4):  # a limiter takes loudness away, which the next round gives back
        loud = integrated(out)
        if not np.isfinite(loud):
            return out
        if abs(loud - target) < 0.1 and true_peak(out) <= ceiling:
            break
        out = _limited(out * np.float32(10 ** ((target - loud) / 20)), 10 ** (ceiling / 20))
    return out


def _limited(samples: Samples, most: float) -> Samples:
    """Hold true peaks under `most`: gain falls before a peak and comes back after it, smoothly."""
    fine = np.abs(signal.resample_poly(samples, 4, 1, axis=1)).max(0)
    peaks = fine[: 4 * samples.shape[1]].reshape(-1, 4).max(1)
    wanted = np.minimum(1.0, most / np.maximum(peaks, 1e-9))
    if wanted.min() >= 1:
        return samples
    held = ndimage.minimum_filter1d(wanted, 4 * _LOOK + 1, mode="nearest")
    smooth = ndimage.uniform_filter1d(
        ndimage.uniform_filter1d(held, 2 * _LOOK + 1, mode="nearest"), 2 * _LOOK + 1, mode="nearest"
    )
    return np.asarray(samples * smooth.astype(np.float32))


def _lufs(power: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-12)))
