//! Points, rays and the solids that they meet.

/// A point or a direction: right, up, away from the screen.
pub(super) type Point = [f64; 3];

/// Less than this is no distance along a ray, and no part of the way between two points.
const NEAR: f64 = 1e-4;

pub(super) fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn minus(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// `start + length · direction`.
pub(super) fn along(start: Point, length: f64, direction: Point) -> Point {
    std::array::from_fn(|axis| start[axis] + length * direction[axis])
}

/// A direction along `axis`.
pub(super) fn axis_direction(axis: usize, sign: f64) -> Point {
    std::array::from_fn(|other| if other == axis { sign } else { 0.0 })
}

/// A small flat piece of a surface that reflects light evenly in all directions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patch {
    pub(super) point: Point,
    /// Of length 1, away from the solid.
    pub(super) normal: Point,
    /// The share of light that it gives back.
    pub(super) albedo: f64,
    /// 0 for a point that the camera sees.
    pub(super) area: f64,
}

/// What a solid looks like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Sphere {
        radius: f64,
    },
    /// With sides along the axes.
    Cuboid {
        half: Point,
    },
}

/// A solid of the clutter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Solid {
    pub(super) form: Form,
    pub(super) centre: Point,
    pub(super) albedo: f64,
}

impl Solid {
    /// Where the line `start + t · direction` enters and leaves, as t, if it does.
    fn crossing(&self, start: Point, direction: Point) -> Option<(f64, f64)> {
        let from = minus(start, self.centre);
        match self.form {
            Form::Sphere { radius } => {
                let (a, b) = (dot(direction, direction), dot(from, direction));
                let inside = b * b - a * (dot(from, from) - radius * radius);
                let half = inside.sqrt();
                (inside > 0.0).then(|| ((-b - half) / a, (half - b) / a))
            }
            Form::Cuboid { half } => {
                let (mut enters, mut leaves) = (f64::NEG_INFINITY, f64::INFINITY);
                for axis in 0..3 {
                    let slope = direction[axis].recip();
                    // A line along a side never meets its planes: within them if it starts so.
                    if slope.is_infinite() {
                        if from[axis].abs() > half[axis] {
                            return None;
                        }
                        continue;
                    }
                    let (one, other) =
                        ((-half[axis] - from[axis]) * slope, (half[axis] - from[axis]) * slope);
                    enters = enters.max(one.min(other));
                    leaves = leaves.min(one.max(other));
                }
                (enters < leaves).then_some((enters, leaves))
            }
        }
    }

    /// Whether it stands on the way from `from` to `to`.
    pub(super) fn blocks(&self, from: Point, to: Point) -> bool {
        self.crossing(from, minus(to, from))
            .is_some_and(|(enters, leaves)| enters < 1.0 - NEAR && leaves > NEAR)
    }

    /// The first meeting of a ray from outside, as its length and the direction away from the surface there.
    pub(super) fn meets(&self, start: Point, direction: Point) -> Option<(f64, Point)> {
        let (enters, _) = self.crossing(start, direction).filter(|(enters, _)| *enters > NEAR)?;
        let from_centre = minus(along(start, enters, direction), self.centre);
        let normal = match self.form {
            Form::Sphere { radius } => from_centre.map(|x| x / radius),
            Form::Cuboid { half } => {
                let share = |axis: usize| (from_centre[axis] / half[axis]).abs();
                let axis = (1..3)
                    .fold(0, |best, axis| if share(axis) > share(best) { axis } else { best });
                axis_direction(axis, from_centre[axis].signum())
            }
        };
        Some((enters, normal))
    }

    /// Its surface as six patches, one at each end of each axis.
    pub(super) fn patches(&self) -> impl Iterator<Item = Patch> + use<'_> {
        (0..6).map(|side| {
            let (axis, sign) = (side / 2, if side % 2 == 0 { 1.0 } else { -1.0 });
            let (reach, area) = match self.form {
                Form::Sphere { radius } => {
                    (radius, 4.0 * std::f64::consts::PI * radius * radius / 6.0)
                }
                Form::Cuboid { half } => {
                    (half[axis], 4.0 * half[(axis + 1) % 3] * half[(axis + 2) % 3])
                }
            };
            let normal = axis_direction(axis, sign);
            let point = along(self.centre, reach, normal);
            Patch { point, normal, albedo: self.albedo, area }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BALL: Solid =
        Solid { form: Form::Sphere { radius: 0.5 }, centre: [0.0, 0.0, 2.0], albedo: 0.5 };
    const CASE: Solid = Solid {
        form: Form::Cuboid { half: [0.5, 1.0, 0.25] },
        centre: [0.0, 0.0, 2.0],
        albedo: 0.5,
    };

    #[test]
    fn a_ray_meets_the_near_side() {
        for (solid, length) in [(BALL, 1.5), (CASE, 1.75)] {
            let (found, normal) = solid.meets([0.0; 3], [0.0, 0.0, 1.0]).unwrap();
            assert!((found - length).abs() < 1e-12);
            assert_eq!(normal, [0.0, 0.0, -1.0]);
            assert!(solid.meets([0.0; 3], [0.0, 0.0, -1.0]).is_none());
            assert!(solid.meets([0.0, 1.5, 0.0], [0.0, 0.0, 1.0]).is_none());
        }
        let (length, normal) = CASE.meets([2.0, 0.5, 2.1], [-1.0, 0.0, 0.0]).unwrap();
        assert!((length - 1.5).abs() < 1e-12 && normal == [1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_solid_blocks_only_what_is_behind_it() {
        for solid in [BALL, CASE] {
            assert!(solid.blocks([0.0; 3], [0.0, 0.0, 4.0]));
            assert!(!solid.blocks([0.0; 3], [0.0, 0.0, 1.0]));
            assert!(!solid.blocks([0.0, 0.0, 4.0], [0.0, 0.0, 3.0]));
            assert!(!solid.blocks([0.0, 3.0, 0.0], [0.0, 3.0, 4.0]));
        }
    }

    #[test]
    fn the_near_side_of_a_solid_does_not_hide_itself_and_the_far_side_is_hidden() {
        for solid in [BALL, CASE] {
            for patch in solid.patches() {
                let eye = [0.3, 0.2, -3.0];
                let faces = dot(patch.normal, minus(eye, patch.point)) > 0.0;
                assert_eq!(solid.blocks(patch.point, eye), !faces, "{patch:?}");
            }
        }
    }

    #[test]
    fn the_patches_cover_the_surface() {
        let area = |solid: Solid| solid.patches().map(|patch| patch.area).sum::<f64>();
        assert!((area(BALL) - std::f64::consts::PI).abs() < 1e-12);
        assert!((area(CASE) - 2.0 * (2.0 + 0.5 + 1.0)).abs() < 1e-12);
    }
}
