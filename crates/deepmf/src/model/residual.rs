//! The deep linear network with skip connections: W_j = I + A_j.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::{DeepLinear, Model, Params, Pass, Smooth};
use crate::Result;
use crate::data::Shape;
use crate::linalg::{Mat, MatRef};
use crate::product::{Cotangent, Product};

/// W = (I + A_N) … (I + A_1) with (rectangular) identities I; the parameters are the A_j, zero at the start.
///
/// Descent from there is that of a [`DeepLinear`] from layers I; weight decay and what else looks at the parameters draws the
/// layers to I instead of 0. From this start linear residual networks end near the flattest minimum (Mulayoff and Michaeli 2020).
#[derive(Debug)]
pub struct Residual {
    params: Params,
    /// The network of the layers I + A_j, made when it is first asked for after a change of the parameters …
    network: OnceLock<DeepLinear>,
    /// … in the storage of the one before.
    spare: Mutex<Option<DeepLinear>>,
    widths: Vec<usize>,
}

impl Residual {
    /// A_j = 0 for layers of `widths` d_0, d_1, …, d_N: W is d_N × d_0, the depth is N.
    ///
    /// # Errors
    /// As [`DeepLinear::new`].
    pub fn new(widths: &[usize]) -> Result<Self> {
        let network = DeepLinear::new(widths)?;
        let slots = network.params().slots().iter().enumerate();
        let params =
            Params::zeros(slots.map(|(j, slot)| {
                (format!("residuals.{j}"), slot.rows, slot.cols, slot.transposed)
            }));
        let spare = Mutex::new(Some(network));
        Ok(Self { params, network: OnceLock::new(), spare, widths: widths.to_vec() })
    }

    /// d_0, d_1, …, d_N.
    pub fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// The product W, multiplied out.
    pub fn product(&self) -> Mat {
        self.network().product()
    }

    /// The same network written by its layers I + A_j.
    pub fn network(&self) -> &DeepLinear {
        self.network.get_or_init(|| {
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(mut network) = spare.take().or_else(|| DeepLinear::new(&self.widths).ok())
            else {
                unreachable!("the widths have made a network before")
            };
            let layers = network.params_mut();
            layers.values_mut().copy_from_slice(self.params.values());
            for place in 0..self.params.slots().len() {
                let (rows, cols) =
                    (self.params.slots()[place].rows, self.params.slots()[place].cols);
                let long = if self.params.slots()[place].transposed { cols } else { rows };
                let stored = layers.stored_mut(place);
                (0..rows.min(cols)).for_each(|k| stored[k * long + k] += 1.0);
            }
            network
        })
    }
}

impl Clone for Residual {
    fn clone(&self) -> Self {
        let (params, widths) = (self.params.clone(), self.widths.clone());
        Self { params, network: OnceLock::new(), spare: Mutex::new(None), widths }
    }
}

impl Model for Residual {
    fn shape(&self) -> Shape {
        (self.widths[self.widths.len() - 1], self.widths[0])
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn params_mut(&mut self) -> &mut Params {
        if let Some(network) = self.network.take() {
            *self.spare.get_mut().unwrap_or_else(PoisonError::into_inner) = Some(network);
        }
        &mut self.params
    }

    fn forward<'a>(&'a self, pass: &'a mut Pass) -> Product<'a> {
        self.network().forward(pass)
    }

    fn pullback(&self, product: &Cotangent, pass: &mut Pass, into: &mut Params) {
        self.network().pullback(product, pass, into);
    }

    fn layers(&self) -> Option<Vec<MatRef<'_>>> {
        Some(self.network().layers())
    }

    fn smooth(&self) -> Option<&dyn Smooth> {
        Some(self)
    }
}

impl Smooth for Residual {
    fn pushforward<'a>(&'a self, along: &'a Params, pass: &'a mut Pass) -> Product<'a> {
        self.network().pushforward(along, pass)
    }

    fn pullback_along(
        &self,
        along: &Params,
        product: &Cotangent,
        pass: &mut Pass,
        into: &mut Params,
    ) {
        self.network().pullback_along(along, product, pass, into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Init;
    use crate::problem::{Constant, Problem};
    use crate::train::optimizer::GradientDescent;
    use crate::train::{Stop, Trainer};

    #[test]
    fn it_starts_at_the_identity_and_moves_as_layers_from_there() {
        let target = Mat::from_fn(4, 6, |i, j| 1.0 / (1 + i + j) as f64);
        let problem = Problem::full(&target, Constant::HalfSum).unwrap();
        let widths = [6, 5, 7, 4];
        let mut residual = Residual::new(&widths).unwrap();
        assert_eq!(residual.product(), Mat::eye(4, 6));
        let layers = DeepLinear::new(&widths).unwrap();
        // a = 1 gives layers (4/min)^{1/6} I; these are put to I itself.
        let mut layers = layers.init(&Init::Identity { scale: 1.0 }, 0).unwrap();
        for j in 0..3 {
            layers.params_mut().set(j, &Mat::eye(widths[j + 1], widths[j])).unwrap();
        }
        let descend = |model: &mut dyn Model| {
            let descent = GradientDescent::new(0.05).unwrap();
            Trainer::new(descent).stop(Stop::new().steps(50)).fit(&problem, model).unwrap();
        };
        descend(&mut residual);
        descend(&mut layers);
        assert!(residual.product().minus(&layers.product()).max_abs() < 1e-13);
        let own = Model::layers(&residual).unwrap();
        for (j, (a, layer)) in own.iter().zip(layers.layers()).enumerate() {
            assert!(a.to_mat().minus(&layer.to_mat()).max_abs() < 1e-13);
            let moved = residual.params().matrix(j).to_mat();
            let identity = Mat::eye(widths[j + 1], widths[j]);
            assert!(a.to_mat().minus(&identity).minus(&moved).max_abs() < 1e-15);
        }
    }

    #[test]
    fn a_copy_has_layers_of_its_own() {
        let mut residual = Residual::new(&[3, 3, 3]).unwrap();
        let copy = residual.clone();
        residual.params_mut().values_mut()[0] = 1.0;
        assert_eq!(residual.product()[(0, 0)], 2.0);
        assert_eq!(copy.product(), Mat::eye(3, 3));
    }
}
