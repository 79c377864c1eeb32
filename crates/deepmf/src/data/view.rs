//! Views: several descriptions of the same samples, each a matrix samples × features.

use super::{Entries, Shape};
use crate::linalg::Mat;
use crate::{Error, Result};

/// The features of one view, samples × features.
#[derive(Clone, Debug, PartialEq)]
pub enum Features {
    /// Every number is stored.
    Dense(Mat),
    /// What is not stored is zero: counts of words, not entries with holes.
    Sparse(Entries),
}

/// One description of all samples.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// What messages, files and pages call it.
    pub name: String,
    /// The numbers, samples × features; zeros where a sample is missing.
    pub features: Features,
    /// Which samples this view does not describe, one a sample.
    pub missing: Vec<bool>,
}

impl View {
    /// A view in which a sample without any number (a row of NaN) is missing.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a sample has some numbers but not all, if the view has no features or if every sample is missing;
    /// [`Error::NotFinite`] for an infinity.
    pub fn new(name: impl Into<String>, features: Features) -> Result<Self> {
        let name = name.into();
        let mut view = Self { name, missing: Vec::new(), features };
        let (samples, width) = view.shape();
        if samples == 0 || width == 0 {
            let found = format!("{samples} x {width}");
            return Err(view.fault("samples and features", "1 or more of each", found));
        }
        view.missing = vec![false; samples];
        if let Features::Dense(values) = &mut view.features {
            for i in 0..samples {
                let unknown = (0..width).filter(|&j| values[(i, j)].is_nan()).count();
                view.missing[i] = unknown == width;
                if unknown == width {
                    (0..width).for_each(|j| values[(i, j)] = 0.0);
                } else if unknown > 0 {
                    let what = format!("sample {} of view `{}`", i + 1, view.name);
                    let found = format!("without {unknown} of its {width} numbers");
                    return Err(Error::parameter(what, "known or missing as a whole", found));
                }
            }
            if let Some(&found) = values.values().iter().find(|x| !x.is_finite()) {
                return Err(Error::NotFinite {
                    what: format!("a number of view `{}`", view.name),
                    found,
                });
            }
        }
        if view.missing.iter().all(|&missing| missing) {
            return Err(view.fault("known samples", "1 or more", 0));
        }
        Ok(view)
    }

    fn fault(&self, what: &str, allowed: &str, found: impl std::fmt::Display) -> Error {
        Error::parameter(format!("the number of {what} of view `{}`", self.name), allowed, found)
    }

    /// Samples and features.
    pub fn shape(&self) -> Shape {
        match &self.features {
            Features::Dense(values) => (values.rows(), values.cols()),
            Features::Sparse(entries) => entries.shape(),
        }
    }

    /// The number of samples, missing ones too.
    pub fn samples(&self) -> usize {
        self.shape().0
    }

    /// The number of features.
    pub fn width(&self) -> usize {
        self.shape().1
    }

    /// All numbers, samples × features, zeros included.
    pub fn to_dense(&self) -> Mat {
        match &self.features {
            Features::Dense(values) => values.clone(),
            Features::Sparse(entries) => {
                let (samples, width) = entries.shape();
                let mut dense = Mat::zeros(samples, width);
                entries.iter().for_each(|(i, j, value)| dense[(i, j)] = value);
                dense
            }
        }
    }

    /// The number of samples that all of `views` have.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there are no views, [`Error::Shape`] if one has another number of samples, or another number of marks of
    /// missing ones, than the first; [`Error::Parameter`] if a sample is missing in all views.
    pub fn common_samples(views: &[View]) -> Result<usize> {
        let Some(first) = views.first() else {
            return Err(Error::parameter("the number of views", "1 or more", 0));
        };
        let samples = first.samples();
        for view in views {
            for (what, found) in
                [("view", view.samples()), ("the mask of view", view.missing.len())]
            {
                if found != samples {
                    let what = format!("{what} `{}`", view.name);
                    let expected = format!("{samples} samples, as `{}` has", first.name);
                    return Err(Error::shape(what, expected, found));
                }
            }
        }
        let nowhere = (0..samples).find(|&i| views.iter().all(|view| view.missing[i]));
        match nowhere {
            Some(i) => {
                let what = format!("sample {}", i + 1);
                Err(Error::parameter(what, "known in 1 or more views", "missing in all of them"))
            }
            None => Ok(samples),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(rows: &[[f64; 2]]) -> Features {
        Features::Dense(Mat::from_fn(rows.len(), 2, |i, j| rows[i][j]))
    }

    #[test]
    fn a_row_of_nan_is_a_missing_sample_and_half_a_row_is_refused() {
        let nan = f64::NAN;
        let view = View::new("a", dense(&[[1.0, 2.0], [nan, nan]])).unwrap();
        assert_eq!(
            (view.missing, view.features),
            (vec![false, true], dense(&[[1.0, 2.0], [0.0, 0.0]]))
        );
        let error = View::new("a", dense(&[[1.0, 2.0], [nan, 3.0]])).unwrap_err().to_string();
        assert_eq!(
            error,
            "sample 2 of view `a` must be known or missing as a whole, but it is without 1 of its 2 numbers"
        );
        assert!(View::new("a", dense(&[[nan, nan]])).is_err());
        assert!(View::new("a", dense(&[[1.0, f64::INFINITY]])).is_err());
        assert!(View::new("a", dense(&[])).is_err());
    }

    #[test]
    fn sparse_features_are_zero_where_nothing_is_stored() {
        let entries = Entries::new((2, 3), vec![1], vec![2], vec![5.0]).unwrap();
        let view = View::new("words", Features::Sparse(entries)).unwrap();
        assert_eq!(view.shape(), (2, 3));
        assert_eq!(view.to_dense().values(), [0.0, 0.0, 0.0, 0.0, 0.0, 5.0]);
    }

    #[test]
    fn views_of_different_samples_are_refused() {
        let view = |name: &str, rows: &[[f64; 2]]| View::new(name, dense(rows)).unwrap();
        let a = view("a", &[[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(View::common_samples(std::slice::from_ref(&a)).unwrap(), 2);
        let error = View::common_samples(&[a.clone(), view("b", &[[1.0, 2.0]])]).unwrap_err();
        assert_eq!(error.to_string(), "view `b` must have 2 samples, as `a` has, but it has 1");
        assert!(View::common_samples(&[]).is_err());
        let half = view("c", &[[f64::NAN, f64::NAN], [3.0, 4.0]]);
        assert!(View::common_samples(&[half.clone(), a]).is_ok());
        assert_eq!(
            View::common_samples(&[half]).unwrap_err().to_string(),
            "sample 1 must be known in 1 or more views, but it is missing in all of them"
        );
    }
}
