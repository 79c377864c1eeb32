//! Late fusion: a consensus of partitions, their rotations onto it, and their weights.

use crate::Result;
use crate::linalg::{Mat, Svd, dot, norm, svd};

/// The partition of one view and which samples of all it describes.
#[derive(Clone, Debug)]
pub struct Part {
    /// k × present samples.
    pub partition: Mat,
    /// The samples, ascending.
    pub present: Vec<usize>,
    /// M, k × k, orthogonal.
    pub rotation: Mat,
}

impl Part {
    /// Not rotated.
    pub fn new(partition: Mat, present: Vec<usize>) -> Self {
        let k = partition.rows();
        Self { partition, present, rotation: Mat::eye(k, k) }
    }

    /// M G*, k × present samples: the partition that the consensus asks for.
    pub fn wanted(&self, consensus: &Mat) -> Mat {
        self.rotation.times(&self.restricted(consensus))
    }

    /// The columns of `all` that are present.
    pub fn restricted(&self, all: &Mat) -> Mat {
        let mut out = Mat::zeros(all.rows(), self.present.len());
        for (new, &old) in self.present.iter().enumerate() {
            out.col_mut(new).copy_from_slice(all.col(old));
        }
        out
    }

    /// Rotates the partition onto the consensus: M = P Qᵀ of G G*ᵀ = P S Qᵀ (orthogonal Procrustes), which makes
    /// ⟨G, M G*⟩ the sum of S; gives this sum.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) if the partition is not finite.
    pub fn rotate(&mut self, consensus: &Mat) -> Result<f64> {
        let meeting = self.partition.view().times(self.restricted(consensus).t());
        let (rotation, sum) = procrustes(&meeting)?;
        self.rotation = rotation;
        Ok(sum)
    }
}

/// P Qᵀ of A = P S Qᵀ, of all orthogonal matrices the one that ⟨A, M⟩ is largest for, and this largest, the sum of S.
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) if A is not finite.
pub fn procrustes(a: &Mat) -> Result<(Mat, f64)> {
    let Svd { u, s, v } = svd(a.view())?;
    Ok((u.view().times(v.t()), s.iter().sum()))
}

/// U = Σ_v β_v M_vᵀ G_v, k × samples.
pub fn mean_partition(parts: &[&Part], weights: &[f64], samples: usize) -> Mat {
    let k = parts[0].partition.rows();
    let mut sum = Mat::zeros(k, samples);
    for (part, weight) in parts.iter().zip(weights) {
        let rotated = part.rotation.t().times(part.partition.view());
        for (new, &old) in part.present.iter().enumerate() {
            let (to, from) = (sum.col_mut(old), rotated.col(new));
            to.iter_mut().zip(from).for_each(|(to, from)| *to += weight * from);
        }
    }
    sum
}

/// G* = P Qᵀ of U = P S Qᵀ, k × samples with orthonormal rows: of these the one that ⟨U, G*⟩ is largest for. Also the
/// matrix P S⁻¹ Pᵀ that takes U there, and new samples with it; zero where S is.
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) if U is not finite.
pub fn consensus(mean: &Mat) -> Result<(Mat, Mat)> {
    let Svd { u, s, v } = svd(mean.view())?;
    let least = 1e-12 * s.first().copied().unwrap_or(0.0);
    let k = s.len();
    let scaled =
        Mat::from_fn(u.rows(), k, |i, r| if s[r] > least { u[(i, r)] / s[r] } else { 0.0 });
    Ok((u.view().times(v.t()), scaled.view().times(u.t())))
}

/// f / ‖f‖, at least 0: of unit weights those that Σ β_v f_v is largest for; equal ones where no f is above 0.
pub fn view_weights(alignments: &[f64]) -> Vec<f64> {
    let clipped: Vec<f64> = alignments.iter().map(|f| f.max(0.0)).collect();
    let length = norm(&clipped);
    if length > 0.0 && length.is_finite() {
        return clipped.iter().map(|f| f / length).collect();
    }
    vec![1.0 / (alignments.len() as f64).sqrt(); alignments.len()]
}

/// ⟨A, B⟩.
pub(super) fn inner(a: &Mat, b: &Mat) -> f64 {
    dot(a.values(), b.values())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{random_orthogonal, singular_values};
    use crate::random::{Purpose, normal, stream};

    fn draw(rows: usize, cols: usize, item: u64) -> Mat {
        let mut random = stream(3, Purpose::Init, item);
        Mat::from_fn(rows, cols, |_, _| normal(&mut random))
    }

    #[test]
    fn a_consensus_has_orthonormal_rows_and_meets_the_mean_by_its_nuclear_norm() {
        let mean = draw(4, 30, 0);
        let (found, whitening) = consensus(&mean).unwrap();
        let gram = found.view().times(found.t());
        assert!(gram.minus(&Mat::eye(4, 4)).max_abs() < 1e-10);
        let nuclear: f64 = singular_values(mean.view()).unwrap().iter().sum();
        assert!((inner(&mean, &found) - nuclear).abs() < 1e-10 * nuclear);
        assert!(whitening.times(&mean).minus(&found).max_abs() < 1e-10);
    }

    #[test]
    fn a_rotation_is_orthogonal_and_the_best_one() {
        let (partition, consensus) = (draw(4, 20, 1), draw(4, 25, 2));
        let mut part = Part::new(partition, (5..25).collect());
        let sum = part.rotate(&consensus).unwrap();
        let gram = part.rotation.t().times(part.rotation.view());
        assert!(gram.minus(&Mat::eye(4, 4)).max_abs() < 1e-10);
        assert!((inner(&part.partition, &part.wanted(&consensus)) - sum).abs() < 1e-10);
        for item in 0..20 {
            part.rotation = random_orthogonal(4, 4, &mut stream(1, Purpose::Init, item));
            assert!(inner(&part.partition, &part.wanted(&consensus)) <= sum);
        }
    }

    #[test]
    fn view_weights_have_unit_length_and_are_never_negative() {
        let weights = view_weights(&[3.0, 4.0, -1.0]);
        assert_eq!(weights, [0.6, 0.8, 0.0]);
        assert_eq!(view_weights(&[0.0; 4]), [0.5; 4]);
    }
}
