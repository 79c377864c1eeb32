//! A room with diffuse walls, clutter in it, a screen on one wall and a camera below the screen's middle that looks at the clutter.

use std::f64::consts::PI;

use rayon::prelude::*;

use super::geometry::{Form, Patch, Point, Solid, along, axis_direction, dot, minus};
use crate::data::Shape;
use crate::linalg::Mat;
use crate::random::{Purpose, RngExt, stream};

/// Opposite corners of the room: 2 wide, 1.6 high, 2.2 deep.
const CORNERS: [Point; 2] = [[-1.0, 0.0, 0.0], [1.0, 1.6, 2.2]];
/// Side of the screen, which is square and stands in the wall z = 0.
const SCREEN: f64 = 1.0;
/// Its middle.
const MIDDLE: Point = [0.0, 0.9, 0.0];
const CAMERA: Point = [0.0, 0.75, 0.1];
/// Half the width of what the camera sees at distance 1.
const HALF_VIEW: f64 = 0.42;
/// How far below the level it looks, at distance 1.
const TILT: f64 = 0.1;
/// Solids of the clutter.
const SOLIDS: usize = 14;
/// Patches of a side of a wall, in the light that walls give back.
const WALL_PATCHES: usize = 6;
/// Points of a side of a screen pixel, so that shadows have soft edges.
const SCREEN_POINTS: usize = 2;
/// The least square of a distance between two patches that exchange light, which their size would otherwise forbid.
const LEAST_SQUARE: f64 = 0.05;

/// The room of one seed.
#[derive(Clone, Debug)]
pub(super) struct Room {
    solids: Vec<Solid>,
    /// Of the walls: left, right, floor, ceiling, the screen's, the far one.
    albedos: [f64; 6],
}

impl Room {
    /// Spheres and cuboids of random size, place and albedo, some on the floor, some hanging.
    pub(super) fn random(seed: u64) -> Self {
        let mut draws = stream(seed, Purpose::Truth, 2);
        let solids = (0..SOLIDS)
            .map(|_| {
                let size = draws.random_range(0.06..0.2);
                let form = if draws.random_bool(0.5) {
                    Form::Sphere { radius: size }
                } else {
                    let mut half: Point =
                        std::array::from_fn(|_| size * draws.random_range(0.4..1.0));
                    half[draws.random_range(0..2)] *= 1.5;
                    Form::Cuboid { half }
                };
                let below = match form {
                    Form::Sphere { radius } => radius,
                    Form::Cuboid { half } => half[1],
                };
                let hangs = draws.random_bool(0.5);
                let height = if hangs { draws.random_range(below..0.9) } else { below };
                let centre =
                    [draws.random_range(-0.75..0.75), height, draws.random_range(1.0..1.95)];
                Solid { form, centre, albedo: draws.random_range(0.3..0.9) }
            })
            .collect();
        Self { solids, albedos: std::array::from_fn(|_| draws.random_range(0.5..0.8)) }
    }

    /// What the camera sees, row after row of `shape` (height, width).
    pub(super) fn seen(&self, shape: Shape) -> Vec<Patch> {
        let (height, width) = shape;
        // The longer side has the whole view.
        let step = 2.0 * HALF_VIEW / height.max(width) as f64;
        let mut seen = Vec::with_capacity(height * width);
        for y in 0..height {
            for x in 0..width {
                let across = (x as f64 + 0.5 - width as f64 / 2.0) * step;
                let down = (y as f64 + 0.5 - height as f64 / 2.0) * step;
                seen.push(self.first(CAMERA, [across, -down - TILT, 1.0]));
            }
        }
        seen
    }

    /// The surface that a ray from within the room meets first.
    fn first(&self, start: Point, direction: Point) -> Patch {
        // The wall that is met first: the least of the ways to the three that the ray tends to.
        let wall = |axis: usize| {
            let side = usize::from(direction[axis] > 0.0);
            let length = if direction[axis] == 0.0 {
                f64::INFINITY
            } else {
                (CORNERS[side][axis] - start[axis]) / direction[axis]
            };
            (length, axis, side)
        };
        let nearer = |a: (f64, usize, usize), b: (f64, usize, usize)| if b.0 < a.0 { b } else { a };
        let (mut length, axis, side) = nearer(nearer(wall(0), wall(1)), wall(2));
        let mut normal = axis_direction(axis, if side == 0 { 1.0 } else { -1.0 });
        let mut albedo = self.albedos[2 * axis + side];
        for solid in &self.solids {
            if let Some((found, away)) = solid.meets(start, direction)
                && found < length
            {
                (length, normal, albedo) = (found, away, solid.albedo);
            }
        }
        Patch { point: along(start, length, direction), normal, albedo, area: 0.0 }
    }

    /// Whether nothing stands between two points.
    fn is_free(&self, from: Point, to: Point) -> bool {
        !self.solids.iter().any(|solid| solid.blocks(from, to))
    }

    /// Walls and clutter as patches that give light back.
    fn patches(&self) -> Vec<Patch> {
        let mut patches: Vec<Patch> = self.solids.iter().flat_map(Solid::patches).collect();
        for (wall, &albedo) in self.albedos.iter().enumerate() {
            let (axis, side) = (wall / 2, wall % 2);
            let (one, other) = ((axis + 1) % 3, (axis + 2) % 3);
            let length = |axis: usize| (CORNERS[1][axis] - CORNERS[0][axis]) / WALL_PATCHES as f64;
            for place in 0..WALL_PATCHES * WALL_PATCHES {
                let (i, j) = (place / WALL_PATCHES, place % WALL_PATCHES);
                let mut point = CORNERS[side];
                point[one] = CORNERS[0][one] + (i as f64 + 0.5) * length(one);
                point[other] = CORNERS[0][other] + (j as f64 + 0.5) * length(other);
                let normal = axis_direction(axis, if side == 0 { 1.0 } else { -1.0 });
                patches.push(Patch { point, normal, albedo, area: length(one) * length(other) });
            }
        }
        patches
    }

    /// The light that reaches `patch` from each pixel of the screen and goes on, as one column of the transposed transport.
    ///
    /// albedo/π · Σ over points of the screen pixel of visibility · cos θ · cos θ' · area / distance².
    fn screen_light(&self, patch: &Patch, (height, width): Shape, light: &mut [f64]) {
        let (high, wide) = (SCREEN / height as f64, SCREEN / width as f64);
        let area = high * wide / (SCREEN_POINTS * SCREEN_POINTS) as f64;
        let sides = SCREEN_POINTS as f64;
        for (pixel, light) in light.iter_mut().enumerate() {
            let (y, x) = (pixel / width, pixel % width);
            let mut sum = 0.0;
            for point in 0..SCREEN_POINTS * SCREEN_POINTS {
                let down = ((point / SCREEN_POINTS) as f64 + 0.5) / sides + y as f64;
                let across = ((point % SCREEN_POINTS) as f64 + 0.5) / sides + x as f64;
                let source = [
                    MIDDLE[0] - SCREEN / 2.0 + across * wide,
                    MIDDLE[1] + SCREEN / 2.0 - down * high,
                    MIDDLE[2],
                ];
                let way = minus(source, patch.point);
                let cosines = dot(way, patch.normal).max(0.0) * (-way[2]).max(0.0);
                if cosines > 0.0 && self.is_free(patch.point, source) {
                    sum += cosines / dot(way, way).powi(2);
                }
            }
            *light = patch.albedo / PI * sum * area;
        }
    }

    /// The share of the light of `from` that `to` gives on, without what stands between.
    fn exchanged(&self, to: &Patch, from: &Patch) -> f64 {
        let way = minus(from.point, to.point);
        let cosines = dot(way, to.normal).max(0.0) * (-dot(way, from.normal)).max(0.0);
        if cosines > 0.0 && self.is_free(to.point, from.point) {
            let square = dot(way, way);
            to.albedo / PI * cosines * from.area / (square * square.max(LEAST_SQUARE))
        } else {
            0.0
        }
    }

    /// The transport from the pixels of the screen to those of the camera: straight, and by one more surface.
    pub(super) fn transport(&self, observed: Shape, hidden: Shape) -> Mat {
        let pixels = hidden.0 * hidden.1;
        let direct = |patches: &[Patch]| {
            let mut light = Mat::zeros(pixels, patches.len());
            light.values_mut().par_chunks_mut(pixels).zip(patches).for_each(|(light, patch)| {
                self.screen_light(patch, hidden, light);
            });
            light
        };
        let (seen, patches) = (self.seen(observed), self.patches());
        let mut exchange = Mat::zeros(patches.len(), seen.len());
        exchange.values_mut().par_chunks_mut(patches.len()).zip(&seen).for_each(|(share, seen)| {
            for (share, patch) in share.iter_mut().zip(&patches) {
                *share = self.exchanged(seen, patch);
            }
        });
        let by_one_more = exchange.t().times(direct(&patches).t());
        let straight = direct(&seen);
        by_one_more.minus(&straight.t().to_mat().scaled(-1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Room {
        Room { solids: Vec::new(), albedos: [0.5; 6] }
    }

    #[test]
    fn a_far_patch_that_faces_a_small_screen_gets_what_the_formula_says() {
        let patch =
            Patch { point: [0.0, 0.9, 2.2], normal: [0.0, 0.0, -1.0], albedo: 0.6, area: 0.0 };
        let mut light = vec![0.0; 64 * 64];
        empty().screen_light(&patch, (64, 64), &mut light);
        // The closed form of the light of a square at distance d over its middle, with a = side / 2:
        // 4/π · a/√(a²+d²) · atan(a/√(a²+d²)), times the albedo.
        let slope = 0.5 / (0.25 + 2.2_f64.powi(2)).sqrt();
        let expected = 0.6 * 4.0 / PI * slope * slope.atan();
        let sum: f64 = light.iter().sum();
        assert!((sum / expected - 1.0).abs() < 1e-4, "{sum} {expected}");
    }

    #[test]
    fn a_solid_throws_a_shadow() {
        let mut room = empty();
        let lit = room.transport((8, 8), (4, 4));
        room.solids.push(Solid {
            form: Form::Sphere { radius: 0.1 },
            centre: [0.0, 1.4, 1.5],
            albedo: 0.0,
        });
        let shaded = room.transport((8, 8), (4, 4));
        assert!(lit.values().iter().all(|&x| x > 0.0));
        assert!((0..64).all(|p| (0..16).all(|s| shaded[(p, s)] <= lit[(p, s)] * 1.2)));
        assert!((0..64).any(|p| (0..16).any(|s| shaded[(p, s)] < 0.7 * lit[(p, s)])));
    }

    #[test]
    fn the_walls_give_no_more_light_back_than_they_get() {
        let room = Room::random(3);
        let straight = |patch: &Patch| {
            let mut light = vec![0.0; 4];
            room.screen_light(patch, (2, 2), &mut light);
            light.iter().sum::<f64>() * patch.area
        };
        // Radiant flux over π times the radiance of the screen is at most its area.
        let got: f64 = room.patches().iter().map(straight).sum();
        assert!(got < 0.9 && got > 0.3, "{got}");
    }

    #[test]
    fn the_camera_sees_walls_and_clutter() {
        let room = Room::random(0);
        let seen = room.seen((32, 32));
        let walls = seen.iter().filter(|patch| patch.point[2] > 2.2 - 1e-9).count();
        assert!(walls > 100 && walls < 900, "{walls}");
        assert!(seen.iter().all(|patch| (dot(patch.normal, patch.normal) - 1.0).abs() < 1e-9));
    }
}
