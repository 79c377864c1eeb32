"""A hidden light and its transport, from what is seen of them together."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from . import _common, _deepmf

Floats = NDArray[np.float64]


class LightTransport(BaseEstimator):  # type: ignore[misc]
    """Finds a hidden light L and the transport T from their product Z = T·L alone.

    Of a video both are written by untrained convolutional decoders that are fitted to this one Z; of a matrix they
    are images of least variation from many random starts, or written by decoders as well. A parameter that is None
    is left to the preset, whose values are those of the program.

    Parameters
    ----------
    hidden : tuple of (int, int), optional
        Height and width of the hidden video, multiples of 8; 16 x 16 by the presets.
    inner : int, optional
        Where Z is a matrix: columns of T and rows of L; 64 by the presets.
    method : {"variation", "sparse", "decoders"}, optional
        By what the factors of a matrix are found; "sparse" is for a light that is dark at most places most of the time and
        a Z without noise. None is decoders where an option of theirs is given (one of `preset`,
        `seeds`, `max_iter`, `minutes`, `rate`, `held_out` and `settings`), else variation.
    starts : int, optional
        Random starts of images of least variation or of a sparse light; 256.
    preset : {"fast", "published"}, optional
        None is "fast". Networks, terms and steps as published, or a smaller fit that needs minutes.
    seeds : int, optional
        Fits from so many seeds; that which best meets what is held out is kept.
    max_iter : int, optional
        Steps of each fit at most.
    minutes : float, optional
        Minutes for all fits together.
    rate : float, optional
        The learning rate.
    held_out : float, optional
        The share of Z that is held out, to choose iterate and seed by.
    settings : dict, optional
        Any further setting of decoders by its name in the guide, such as ``{"size": "half"}``, or with
        ``method="variation"`` or ``"sparse"`` of that, such as ``{"vectors": 8}``.
    callback : callable, optional
        Called with a dictionary (`what`, `done`, `total`, `step`, `steps`, `loss`) while it fits.
    verbose : bool, default=False
        Whether progress is shown.
    random_state : int, RandomState instance or None, default=None
        The first seed; None is 0.

    Attributes
    ----------
    light_ : ndarray
        L: of shape (inner, n_times) for a matrix, (n_frames, height, width) for a grey video, and with an axis of colours
        at the end for one in colours.
    transport_ : ndarray
        T: of shape (n_rows, inner) for a matrix, (height, width, hidden height, hidden width) for a video, colours last.
    held_out_error_ : float or None
        The loss of what is held out, over that of a product of zero; of decoders alone.
    objective_ : float or None
        Variation, sign and what misses of the product together; not of decoders.
    agreement_ : float or None
        The mean correlation of the light with those of the other refined starts, by which it is chosen; likewise.
    product_error_ : float
        ‖Z − T·L‖ / ‖Z‖.
    n_iter_ : int
        Steps of the fit that is kept.
    stop_reason_ : str
        How it ended.
    summary_ : dict
        All that is told of the fits, by the names of the program.
    trajectory_ : dict of str to ndarray
        What was recorded along the fit that is kept.

    Notes
    -----
    Z tells L only up to scale and, for neighbours to stay neighbours, up to flips and rotations. `compare` takes the
    best of these.

    Examples
    --------
    >>> import numpy as np
    >>> from deepmf import LightTransport
    >>> T = 1 / (1 + (np.arange(16)[:, None] - 1.3 * np.arange(12)) ** 2)
    >>> L = ((np.arange(12)[:, None] + np.arange(24) // 2) % 5 == 0) + 0.1
    >>> model = LightTransport(inner=12, seeds=1, max_iter=30, settings={"size": "eighth"}, random_state=0)
    >>> model.fit(T @ L).light_.shape, model.transport_.shape
    ((12, 24), (16, 12))
    >>> sorted(model.compare(L))
    ['correlation', 'flip', 'psnr', 'ssim']
    """

    def __init__(
        self,
        hidden: tuple[int, int] | None = None,
        *,
        inner: int | None = None,
        method: str | None = None,
        starts: int | None = None,
        preset: str | None = None,
        seeds: int | None = None,
        max_iter: int | None = None,
        minutes: float | None = None,
        rate: float | None = None,
        held_out: float | None = None,
        settings: dict[str, Any] | None = None,
        callback: Callable[[dict[str, Any]], object] | None = None,
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.inner = inner
        self.method = method
        self.starts = starts
        self.preset = preset
        self.seeds = seeds
        self.max_iter = max_iter
        self.minutes = minutes
        self.rate = rate
        self.held_out = held_out
        self.settings = settings
        self.callback = callback
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, Z: ArrayLike, y: Any = None) -> LightTransport:
        """Finds light and transport.

        Parameters
        ----------
        Z : array of shape (n_rows, n_times), (n_frames, height, width) or (n_frames, height, width, 3)
            What is observed, from 0 to 1 if it is a video.
        y : ignored

        Returns
        -------
        LightTransport
            Itself. After Ctrl-C it holds what was reached, and `KeyboardInterrupt` is raised.
        """
        observed = np.ascontiguousarray(Z, dtype=np.float64)
        told = _common.told(self.callback, self.verbose)
        seed = _common.seed(self.random_state)
        restarts = {
            "seeds": self.seeds,
            "steps": self.max_iter,
            "minutes": self.minutes,
            "rate": self.rate,
            "held-out": self.held_out,
        }
        given: dict[str, Any] = dict(self.settings or {})
        given["restarts"] = {
            **given.get("restarts", {}),
            **{key: value for key, value in restarts.items() if value is not None},
        }
        preset = "fast" if self.preset is None else self.preset
        if observed.ndim == 2:
            if self._by_images():
                inner = 64 if self.inner is None else self.inner
                own: dict[str, Any] = dict(self.settings or {})
                sparse = self.method == "sparse"
                if self.starts is not None and sparse:
                    own["images"] = {"starts": self.starts, **own.get("images", {})}
                elif self.starts is not None:
                    own = {"starts": self.starts, **own}
                words = _common.settings(**own)
                found, stopped = _deepmf.light_of_images(
                    observed, inner, sparse, words, seed, told
                )
            else:
                words = _common.settings(inner=self.inner, **given)
                found, stopped = _deepmf.light_of_matrix(observed, preset, words, seed, told)
            self._keep(found)
            self.light_, self.transport_ = found[1][0], found[0][0]
        elif observed.ndim in (3, 4):
            if self.method not in (None, "decoders"):
                raise ValueError(f"method must be `decoders` for a video, but it is {self.method}")
            words = _common.settings(hidden=self.hidden, **given)
            whole = observed if observed.ndim == 4 else observed[..., None]
            found, stopped = _deepmf.light_of_video(
                whole.shape, whole.ravel(), preset, words, seed, told
            )
            self._keep(found)
            self._shape(found, observed.shape)
        else:
            raise ValueError(f"Z must have 2, 3 or 4 axes, but it has {observed.ndim}")
        if stopped:
            raise KeyboardInterrupt
        if self.stop_reason_ == "diverged":
            warnings.warn(self.summary_["stop_words"], ConvergenceWarning, stacklevel=2)
        for words in self.summary_["warnings"]:
            warnings.warn(words, UserWarning, stacklevel=2)
        return self

    def compare(self, truth: ArrayLike) -> dict[str, Any]:
        """How near the light is to the true one, up to scale, offset, flips and rotations.

        Parameters
        ----------
        truth : array of the shape of `light_`

        Returns
        -------
        dict
            `correlation` after each pixel's mean over time is taken off, `psnr`, `ssim`, and the `flip`.
        """
        check_is_fitted(self, "light_")
        wanted = np.asarray(truth, dtype=np.float64)
        if wanted.shape != self.light_.shape:
            raise ValueError(
                f"truth must have the shape {self.light_.shape}, but it has {wanted.shape}"
            )
        if wanted.ndim == 2:
            answer = _deepmf.compare_light(
                [np.ascontiguousarray(self.light_)], [np.ascontiguousarray(wanted)]
            )
        else:
            grid = (wanted.shape[1], wanted.shape[2])
            answer = _deepmf.compare_light(_matrices(self.light_), _matrices(wanted), grid)
        return dict(zip(("correlation", "psnr", "ssim", "flip"), answer, strict=True))

    def _by_images(self) -> bool:
        """Whether the factors of a matrix are found without decoders; options must be those of the method."""
        options = {
            "preset": self.preset,
            "seeds": self.seeds,
            "max_iter": self.max_iter,
            "minutes": self.minutes,
            "rate": self.rate,
            "held_out": self.held_out,
        }
        of_decoders = [name for name, value in options.items() if value is not None]
        if self.method not in (None, "variation", "sparse", "decoders"):
            raise ValueError(
                f"method must be `variation`, `sparse` or `decoders`, but it is {self.method}"
            )
        if self.method in ("variation", "sparse") and of_decoders:
            raise ValueError(f"{of_decoders[0]} must be None with {self.method}")
        decoders = self.method == "decoders" or (
            self.method is None and (bool(of_decoders) or self.settings is not None)
        )
        if decoders and self.starts is not None:
            raise ValueError(f"starts must be None with decoders, but it is {self.starts}")
        return not decoders

    def _keep(self, found: Any) -> None:
        self.summary_ = json.loads(found[2])
        self.trajectory_ = dict(found[3])
        self.held_out_error_ = self.summary_["held_out_error"]
        self.objective_ = self.summary_["objective"]
        self.agreement_ = self.summary_["agreement"]
        self.product_error_ = self.summary_["product_error"]
        self.n_iter_ = self.summary_["steps"]
        self.stop_reason_ = self.summary_["stop_reason"]

    def _shape(self, found: Any, shape: tuple[int, ...]) -> None:
        """Matrices of pixels as pictures; frames that were added at the end are left out."""
        hidden = self.summary_["hidden"]
        colours = [matrix.T[: shape[0]].reshape(-1, *hidden) for matrix in found[1]]
        slices = [matrix.reshape(*shape[1:3], *hidden) for matrix in found[0]]
        grey = len(shape) == 3
        self.light_ = colours[0] if grey else np.stack(colours, axis=-1)
        self.transport_ = slices[0] if grey else np.stack(slices, axis=-1)


def _matrices(video: Floats) -> list[Floats]:
    """A matrix of pixels x frames for each colour."""
    whole = video if video.ndim == 4 else video[..., None]
    flat = whole.reshape(whole.shape[0], -1, whole.shape[-1])
    return [np.ascontiguousarray(flat[..., colour].T) for colour in range(flat.shape[-1])]
