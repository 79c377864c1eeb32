//! The subspace in which an observed video lies: its leading singular vectors and its mean frame.

use crate::linalg::{Mat, axpy, dot, norm, svd};
use crate::{Error, Result};

/// The basis in which a transport is written, one for each colour: T = mean · 1ᵀ + V · diag(√(s_k / s_2)) · A.
///
/// V holds the leading left singular vectors of the observed video, s its singular values, `mean` its mean frame.
/// Source: Aittala et al. 2019 (the code that accompanies it).
#[derive(Clone, Debug)]
pub struct VideoBasis {
    colours: Vec<Colour>,
}

#[derive(Clone, Debug)]
struct Colour {
    /// Pixels x vectors, orthonormal.
    vectors: Mat,
    /// √(s_k / s_2).
    scales: Vec<f64>,
    /// The mean frame.
    mean: Vec<f64>,
    singular_values: Vec<f64>,
}

impl VideoBasis {
    /// Of a video, a matrix of pixels x frames for each colour, with so many vectors, or as many as there are.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::Parameter`] for no video, one of zeros, or no vectors; [`Error::Shape`] if colours differ in shape.
    ///
    /// ```
    /// use deepmf::linalg::Mat;
    /// use deepmf::model::VideoBasis;
    /// let video = Mat::from_fn(30, 9, |pixel, frame| 1.0 + (pixel * frame % 7) as f64);
    /// let basis = VideoBasis::of(&[video], 4)?;
    /// assert_eq!((basis.vectors(), basis.pixels()), (4, 30));
    /// # Ok::<(), deepmf::Error>(())
    /// ```
    pub fn of(video: &[Mat], vectors: usize) -> Result<Self> {
        let Some(first) = video.first() else {
            return Err(Error::parameter("the observed video", "of one colour or more", 0));
        };
        if vectors == 0 {
            return Err(Error::parameter("the number of basis vectors", "1 or more", 0));
        }
        let shape = (first.rows(), first.cols());
        let colour = |z: &Mat| {
            let found = (z.rows(), z.cols());
            if found != shape {
                let words = crate::data::words;
                return Err(Error::shape("every colour of the video", words(shape), words(found)));
            }
            let parts = svd(z.view())?.first(vectors);
            if parts.s.first().is_none_or(|largest| *largest <= 0.0) {
                return Err(Error::parameter("the observed video", "above 0 somewhere", 0));
            }
            let unit = parts.s.get(1).copied().filter(|s| *s > 0.0).unwrap_or(parts.s[0]);
            let scales = parts.s.iter().map(|s| (s / unit).sqrt()).collect();
            let mut mean = vec![0.0; z.rows()];
            (0..z.cols()).for_each(|t| axpy(1.0 / z.cols() as f64, z.col(t), &mut mean));
            Ok(Colour { vectors: parts.u, scales, mean, singular_values: parts.s })
        };
        Ok(Self { colours: video.iter().map(colour).collect::<Result<_>>()? })
    }

    /// Number of colours.
    pub fn colours(&self) -> usize {
        self.colours.len()
    }

    /// Number of vectors of each colour.
    pub fn vectors(&self) -> usize {
        self.colours[0].scales.len()
    }

    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.colours[0].mean.len()
    }

    /// The leading singular values of a colour, descending.
    ///
    /// # Panics
    /// If there is no such colour, as for every method that takes one.
    pub fn singular_values(&self, colour: usize) -> &[f64] {
        &self.colours[colour].singular_values
    }

    /// √(s_k / s_2) of a colour.
    pub(super) fn scales(&self, colour: usize) -> &[f64] {
        &self.colours[colour].scales
    }

    /// V and, as its last column, the mean frame: pixels x (vectors + 1).
    pub fn spanning(&self, colour: usize) -> Mat {
        let Colour { vectors, mean, .. } = &self.colours[colour];
        let values = [vectors.values(), mean].concat();
        Mat::from_columns(mean.len(), vectors.cols() + 1, values)
    }

    /// Q: an orthonormal basis of the same subspace, V and the rest of the mean frame, at unit length: pixels x (vectors + 1).
    ///
    /// Where the mean frame has no rest the last column is zero.
    pub fn orthonormal(&self, colour: usize) -> Mat {
        let Colour { vectors, mean, .. } = &self.colours[colour];
        let (mut rest, whole) = (mean.clone(), norm(mean));
        // Twice, since what is left may be small beside what is taken off.
        for _ in 0..2 {
            for k in 0..vectors.cols() {
                let share = dot(vectors.col(k), &rest);
                axpy(-share, vectors.col(k), &mut rest);
            }
        }
        let length = norm(&rest);
        let factor = if length > 1e-13 * whole { 1.0 / length } else { 0.0 };
        let values: Vec<f64> = rest.iter().map(|x| factor * x).collect();
        Mat::from_columns(mean.len(), vectors.cols() + 1, [vectors.values(), &values].concat())
    }

    /// Qᵀ · Z: a video in the subspace, (vectors + 1) x frames. The squared distance of T·L to Z is that of Qᵀ·T·L to this and, whatever T and L are,
    /// ‖Z‖² − ‖Qᵀ·Z‖².
    ///
    /// # Errors
    /// [`Error::Shape`] if the video has other pixels.
    pub fn reduced(&self, colour: usize, video: &Mat) -> Result<Mat> {
        if video.rows() != self.pixels() {
            let expected = format!("{} pixels, as the basis", self.pixels());
            return Err(Error::shape("the video", expected, video.rows()));
        }
        Ok(self.orthonormal(colour).t().times(video.view()))
    }
}
