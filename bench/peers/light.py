"""Steps of blind inverse light transport in PyTorch, two threads: seconds of each step, at the end the peak of resident memory in MiB.

light.py CASE STEPS [LAYOUT], CASE one of image, light, matrix, video; LAYOUT contiguous or channels_last. The networks, losses and weights are
those that Aittala et al. 2019 describe, at their sizes.
"""

import math
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional

torch.set_num_threads(2)
torch.manual_seed(0)
case, steps = sys.argv[1], int(sys.argv[2])
layout = sys.argv[3] if len(sys.argv) > 3 else "contiguous"
SIDE, HIDDEN, FRAMES, COLOURS, VECTORS = 128, 16, 256, 3, 32


def lines(sizes):
    """Coordinates from -1 to 1 along each axis, one channel each."""
    axes = [torch.linspace(-1, 1, size) for size in sizes]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))[None]


class Told(nn.Module):
    """Fixed channels beside the given ones."""

    def __init__(self, sizes, more=None):
        super().__init__()
        channels = lines(sizes)
        if more is not None:
            channels = torch.cat([channels, more], 1)
        self.register_buffer("channels", channels)

    def forward(self, x):
        return torch.cat([x, self.channels], 1)


class Windowed(nn.Module):
    def __init__(self, side):
        super().__init__()
        hann = torch.hann_window(side, periodic=False)
        self.register_buffer("window", torch.outer(hann, hann).sqrt())

    def forward(self, x):
        return x * self.window


class Latents(nn.Module):
    def __init__(self, start, keep=None):
        super().__init__()
        self.start, self.keep = nn.Parameter(start), keep

    def forward(self):
        return self.start if self.keep is None else functional.dropout2d(self.start, 1 - self.keep, True)


def convolved(kind, before, after, size, padding, mean, deviation):
    layer = kind(before, after, size, padding=padding, padding_mode="replicate") if padding else kind(before, after, size)
    nn.init.xavier_normal_(layer.weight)
    nn.init.normal_(layer.bias, mean, deviation)
    return layer


def in_layout(network, dimensions):
    wanted = {4: torch.channels_last, 5: torch.channels_last_3d}[dimensions]
    return network.to(memory_format=wanted) if layout == "channels_last" else network


class Image(nn.Module):
    def __init__(self, rows, cols, told=None):
        super().__init__()
        start = (rows // 32, cols // 32)
        self.latents = Latents(torch.randn(1, 64, *start), 0.5)
        layers, before = [], 64
        for doubling, width in enumerate((32, 64, 64, 128, 128)):
            sizes = tuple(side << doubling for side in start)
            layers += [Told(sizes), nn.ReplicationPad2d((1, 2, 1, 2)), convolved(nn.Conv2d, before + 2, width, 4, 0, 0.001, 0)]
            layers += [nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), nn.Tanh()]
            before = width
        more = None if told is None else told[None, None, :, None].expand(1, 1, rows, cols)
        layers += [Told((rows, cols), more), convolved(nn.Conv2d, before + (2 if told is None else 3), 64, 3, 1, 0, 0), nn.LeakyReLU(0.1, True)]
        layers += [Told((rows, cols)), convolved(nn.Conv2d, 66, 1, 3, 1, 0, 0)]
        self.layers = in_layout(nn.Sequential(*layers), 4)

    def forward(self):
        return torch.exp(self.layers(self.latents()) - 2)


class Light(nn.Module):
    def __init__(self):
        super().__init__()
        self.latents = Latents(torch.randn(1, 4, FRAMES // 8, HIDDEN // 8, HIDDEN // 8))
        self.black = nn.Parameter(torch.zeros(1, COLOURS, 1, 1, 1))
        sizes = [(FRAMES >> k, HIDDEN >> k, HIDDEN >> k) for k in (3, 2, 1)]

        def conv(before, after):
            return convolved(nn.Conv3d, before, after, 3, 1, 0, 0.2)

        def told(grid, before=67):
            return [Told(sizes[grid]), conv(before, 64), nn.LeakyReLU(0.1, True)]

        def up():
            return nn.Upsample(scale_factor=2, mode="nearest")

        layers = [*told(0, 7), up(), *told(1), *told(1), up(), *told(2), *told(2), conv(64, 64), nn.LeakyReLU(0.1, True), up()]
        layers += [conv(64, 64), nn.LeakyReLU(0.1, True), conv(64, 32), nn.LeakyReLU(0.1, True), conv(32, 2 * COLOURS)]
        self.layers = in_layout(nn.Sequential(*layers), 5)

    def forward(self):
        bright, dark = self.layers(self.latents()).chunk(2, 1)
        return self.black.exp() * (0.5 + 0.5 * torch.tanh(bright + 2)) + torch.exp(dark - 1)


class Transport(nn.Module):
    def __init__(self):
        super().__init__()
        self.latents = Latents(torch.zeros(1, 32, HIDDEN // 8, HIDDEN // 8))
        self.factors = nn.Parameter(torch.ones(1, COLOURS * VECTORS, 1, 1))

        def conv(before, after):
            return convolved(nn.Conv2d, before, after, 3, 1, 0, 0.001)

        def told(side, before, after):
            return [Told((side, side)), conv(before, after), nn.LeakyReLU(0.1, True)]

        def up():
            return nn.Upsample(scale_factor=2, mode="nearest")

        layers = [*told(2, 34, 32), up(), *told(4, 34, 64), *told(4, 66, 64), *told(4, 66, 64), up()]
        for _ in range(3):
            layers += [*told(8, 66, 64), Windowed(8)]
        layers += [up(), conv(64, 128), nn.LeakyReLU(0.1, True), conv(128, 256), nn.LeakyReLU(0.1, True), conv(256, COLOURS * VECTORS)]
        self.layers = in_layout(nn.Sequential(*layers), 4)

    def forward(self):
        return self.factors * self.layers(self.latents())


def alone(network):
    """The mean of what a network puts out."""
    return (lambda: network().mean()), [torch.optim.Adam(network.parameters(), lr=1e-4)]


def matrix():
    rows, cols = torch.arange(SIDE)[:, None], torch.arange(FRAMES)[None]
    z = 3 + torch.sin(0.05 * rows) + torch.cos(0.03 * cols)
    sums = z.sum(1) - z.sum(1).mean()
    transport, light = Image(SIDE, SIDE, sums / sums.square().mean().sqrt()), Image(SIDE, FRAMES)
    of_rows, of_cols = z.diff(dim=0)[1:-1], z.diff(dim=1)[:, 1:-1]

    def loss():
        product = transport()[0, 0] @ light()[0, 0]
        return (
            1e-4 * (product - z).abs().mean()
            + (product.diff(dim=0)[1:-1] - of_rows).abs().mean()
            + (product.diff(dim=1)[:, 1:-1] - of_cols).abs().mean()
        )

    both = [*transport.parameters(), *light.parameters()]
    return loss, [torch.optim.Adam(both, lr=1e-4, weight_decay=1e-4)]


def video():
    pixels = torch.arange(SIDE * SIDE)
    row, col = (pixels // SIDE)[None, :, None], (pixels % SIDE)[None, :, None]
    colour, time_ = torch.arange(COLOURS)[:, None, None], torch.arange(FRAMES)[None, None]
    z = 1 + 0.4 * torch.sin(0.05 * row + 0.03 * time_) * torch.cos(0.04 * col + colour) + 0.01 * torch.rand(COLOURS, SIDE * SIDE, FRAMES)
    with torch.no_grad():
        # Singular vectors by the small Gram matrix over frames.
        values, right = torch.linalg.eigh(z.double().mT @ z.double())
        s, right = values.flip(-1)[:, :VECTORS].clamp(min=1e-12).sqrt(), right.flip(-1)[..., :VECTORS]
        vectors = (z.double() @ right / s[:, None]) * (s / s[:, 1:2]).sqrt()[:, None]
        basis, mean = vectors.float().contiguous(), z.mean(2, keepdim=True)
        first = (s[:, 0] / s[:, 1]).sqrt().float()
        del right, vectors, values
    # A pixel in a hundred is over-exposed.
    mask = (pixels % 100 != 50).float()[None, :, None]
    of_z = mask * z
    z = None
    # Masks of what has both ends well exposed.
    frame = mask.view(1, SIDE, SIDE, 1)
    of_rows, of_cols = frame[:, 1:] * frame[:, :-1], frame[:, :, 1:] * frame[:, :, :-1]
    transport, light = Transport(), Light()

    def loss():
        core = transport()[0].reshape(COLOURS, VECTORS, HIDDEN * HIDDEN)
        t = torch.baddbmm(mean.expand(-1, -1, HIDDEN * HIDDEN), basis, core)
        frames = light()[0].reshape(COLOURS, FRAMES, HIDDEN * HIDDEN).mT
        product = mask * torch.bmm(t, frames / HIDDEN**2)
        off = product - of_z
        lag = int(torch.randint(1, 8, ()))
        direct, lagged = off.square().mean(), (off[..., lag:] - off[..., :-lag]).abs().mean()
        image = t.view(COLOURS, SIDE, SIDE, HIDDEN * HIDDEN)
        negative = t.clamp(max=0).square().mean()
        smooth = (of_rows * image.diff(dim=1)).abs().mean() + (of_cols * image.diff(dim=2)).abs().mean()
        chroma = (t - t.mean(0, keepdim=True)).abs().mean()
        magnitude = core[:, 0].abs().mean()
        return 0.01 * direct + lagged + 10 * negative + 1e-3 * smooth + 1e-3 * chroma + 1e-4 * magnitude

    del first
    adams = [torch.optim.Adam(net.parameters(), lr=6e-5, amsgrad=True) for net in (transport, light)]
    return loss, adams


CASES = {
    "image": lambda: alone(Image(SIDE, FRAMES)),
    "light": lambda: alone(Light()),
    "matrix": matrix,
    "video": video,
}
if case == "count":
    count = lambda network: sum(x.numel() for x in network.parameters())
    print(count(Image(SIDE, FRAMES)) - 64 * 4 * 8, count(Image(SIDE, SIDE, torch.zeros(SIDE))) - 64 * 16, count(Light()), count(Transport()))
    sys.exit()
loss, adams = CASES[case]()
for step in range(steps + 2):
    begun = time.perf_counter()
    for adam in adams:
        adam.zero_grad(set_to_none=True)
    value = loss()
    value.backward()
    for adam in adams:
        adam.step()
    if step > 1:
        print(f"{time.perf_counter() - begun:.6f}")
assert math.isfinite(value.item())
print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")
