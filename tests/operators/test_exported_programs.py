"""Programs of torch.export, saved and loaded and decomposed, and models that are exported because torch.fx fails."""

import pytest
import torch
import torch.nn.functional as F
from operator_cases import Applied
from torch import Tensor, nn
from torch.autograd.functional import jacobian
from torch.export import Dim

from paperlib.models import mnist_cnn
from paperlib.operators import Compiled, NotFiniteError, ShapeError, UnsupportedLayerError, dot_test, freeze

# torch warns of its own deprecated parts while it exports.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    # torch says that an even kernel may need a padded copy of its input; here it is meant.
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning"),
]

# Some layers deep, each a sum of up to some hundred products: a few thousand units of rounding.
CLOSE = dict(rtol=1e-10, atol=1e-11)


def plain(axes: int) -> nn.Module:
    """The layers of a segmentation network and of a classifier one after the other."""
    layer = lambda name: getattr(nn, f"{name}{axes}d")  # noqa: E731
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[axes]
    return nn.Sequential(
        layer("Conv")(2, 4, 3, padding=1), layer("BatchNorm")(4), nn.PReLU(4), layer("MaxPool")(2), nn.LeakyReLU(0.2),
        nn.Upsample(scale_factor=2), layer("Conv")(4, 4, 2, padding="same", groups=2), nn.ReLU6(inplace=True),
        layer("AvgPool")(2), nn.Dropout(), layer("ConvTranspose")(4, 2, 2, stride=2), nn.ReLU(inplace=True),
        nn.Upsample(scale_factor=2, mode=mode), layer("AdaptiveAvgPool")(2), nn.Flatten(), nn.Linear(2 * 2**axes, 3),
    )  # fmt: skip


class Branching(nn.Module):
    """A block that torch.fx cannot follow: it branches on the shape, and joins what has another one by padding."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.ConvTranspose2d(3, 3, 2, stride=2)
        self.norm, self.head = nn.BatchNorm2d(5), nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.up(F.relu(self.down(x)))
        surplus = [side - wanted for side, wanted in zip(y.shape[2:], x.shape[2:], strict=True)]
        if any(surplus):
            x = F.pad(x, (0, surplus[1], 0, surplus[0]), mode="replicate")
        joined = self.norm(torch.cat([x, y], 1))
        first, second = joined.chunk(2, dim=1)
        y = first[:, :2] - second
        y += joined[:, 1:3]
        return self.head(torch.cat([y, y.flip(2)], 1))


def drawn(model: nn.Module) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.double().eval()


NETWORKS = {
    "mnist_cnn": (mnist_cnn, (1, 28, 28)),
    "plain 1-D": (lambda: plain(1), (2, 8)),
    "plain 2-D": (lambda: plain(2), (2, 8, 4)),
    "plain 3-D": (lambda: plain(3), (2, 4, 4, 4)),
    "branching": (Branching, (2, 5, 6)),
}


@pytest.fixture(params=NETWORKS)
def network(request) -> tuple[nn.Module, tuple[int, ...]]:
    build, shape = NETWORKS[request.param]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return drawn(build()), shape


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def exported(model: nn.Module, images: Tensor, **settings) -> torch.export.ExportedProgram:
    return torch.export.export(model, (images,), **settings)


def check(program, model: nn.Module, images: Tensor) -> None:
    """The frozen program has the matrices, constant parts and outputs of the model."""
    frozen = freeze(program, images)
    torch.testing.assert_close(frozen.outputs, model(images).detach(), **CLOSE)
    linear = frozen.product(images.unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(linear + frozen.offset(), frozen.outputs, **CLOSE)
    for index in range(len(images)):
        image = images[index : index + 1]
        expected = jacobian(model, image).reshape(frozen.shape)
        units = draw(3, *frozen.domain_shape, seed=index)
        torch.testing.assert_close(frozen[index].matmat(units).flatten(1), units.flatten(1) @ expected.T, **CLOSE)
        assert dot_test(frozen[index]) < 1e-12


def test_a_program_is_its_model(network):
    model, shape = network
    images = draw(2, *shape)
    program = exported(model, images)
    check(program, model, images)
    check(program.module(), model, images)


def test_a_decomposed_program_is_its_model(network):
    model, shape = network
    images = draw(2, *shape)
    check(exported(model, images).run_decompositions(), model, images)


def test_a_program_survives_the_disk(network, tmp_path):
    model, shape = network
    images = draw(2, *shape)
    torch.export.save(exported(model, images), tmp_path / "model.pt2")
    check(torch.export.load(tmp_path / "model.pt2"), model, images)


def test_a_program_for_any_batch_size_takes_any(network):
    model, shape = network
    program = exported(model, draw(2, *shape), dynamic_shapes=({0: Dim.AUTO},))
    check(program, model, draw(1, *shape))
    check(program, model, draw(3, *shape))
    check(program.run_decompositions(), model, draw(3, *shape))


def test_a_program_for_any_side_takes_any():
    layers = nn.Conv2d(2, 4, 3), nn.MaxPool2d(2), nn.PReLU(), nn.Upsample(scale_factor=2), nn.AdaptiveAvgPool2d(2)
    model = nn.Sequential(*layers, nn.Flatten()).double().eval()
    program = exported(model, draw(2, 2, 8, 8), dynamic_shapes=({0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO},))
    check(program, model, draw(3, 2, 8, 8))
    check(program, model, draw(2, 2, 10, 7))


def test_a_graph_of_aten_that_names_no_shape_is_a_model():
    model, images = plain(2).double().eval(), draw(2, 2, 8, 4)
    program = torch.export.export(model, (images,)).module(check_guards=False)
    for node in program.graph.nodes:
        node.meta.clear()
    check(program, model, images)


@pytest.mark.parametrize(
    ("size", "mend"),
    [
        (2, "export the model with a batch size of 3 .*or freeze it in batches of 2"),
        (1, "export the model with a batch size of 3 .*or freeze it image by image"),
    ],
)
def test_another_batch_size_is_refused_with_the_way_out(size, mend):
    program = exported(plain(2).double().eval(), draw(size, 2, 8, 4))
    with pytest.raises(ShapeError, match=rf"exported for images of shape \({size}, 2, 8, 4\), got \(3, 2.*{mend}"):
        freeze(program, draw(3, 2, 8, 4))
    assert len(freeze(program, draw(size, 2, 8, 4))) == size


def test_another_image_shape_is_refused():
    program = exported(mnist_cnn().double().eval(), draw(2, 1, 28, 28), dynamic_shapes=({0: Dim.AUTO},))
    with pytest.raises(ShapeError, match=r"shape \(any, 1, 28, 28\), got \(2, 1, 32, 32\)"):
        freeze(program, draw(2, 1, 32, 32))
    with pytest.raises(ShapeError, match=r"got \(1, 28, 28\)"):
        freeze(program, draw(1, 28, 28))


def test_statistics_in_a_program_are_frozen_only_if_asked():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.InstanceNorm2d(4), nn.GroupNorm(2, 4), nn.LayerNorm(4)).double()
    images = draw(2, 1, 6, 6)
    program = exported(model.eval(), images)
    with pytest.raises(UnsupportedLayerError, match=r"'1 \(instance_norm.*frozen_statistics=True"):
        freeze(program, images)
    one_by_one = exported(model, images[:1]).run_decompositions()
    for some, given in ((images, program), (images[:1], one_by_one)):
        frozen, plainly = (freeze(one, some, frozen_statistics=True) for one in (given, model))
        torch.testing.assert_close(frozen[0].dense(), plainly[0].dense(), **CLOSE)
        torch.testing.assert_close(frozen.offset(), plainly.offset(), **CLOSE)


def test_refusals_name_the_layer_that_an_operation_came_from():
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Sequential(nn.GELU(), nn.Conv2d(2, 2, 1))).double().eval()
    with pytest.raises(UnsupportedLayerError, match=r"'1\.0 \(gelu.*not piecewise linear"):
        freeze(exported(model, draw(1, 1, 4, 4)), draw(1, 1, 4, 4))


def test_programs_of_another_form_are_refused():
    x = draw(2, 3)
    with pytest.raises(UnsupportedLayerError, match="exactly one tensor"):
        freeze(exported(Applied(lambda x: [x.relu()]), x), x)
    with pytest.raises(UnsupportedLayerError, match="exactly one input"):
        freeze(torch.export.export(nn.Bilinear(3, 3, 2).double(), (x, x)), x)
    broken = nn.Linear(3, 2).double()
    nn.init.constant_(broken.bias, float("nan"))
    with pytest.raises(NotFiniteError, match="bias"):
        freeze(exported(broken, x), x)


def test_a_program_that_writes_in_place_is_read_as_torch_reads_it():
    def forward(x):
        before = y = x * 2
        y += x.relu()
        return before * 3

    check(exported(Applied(forward), draw(2, 2, 4, 4)), Applied(forward), draw(2, 2, 4, 4))


def test_a_model_that_branches_on_shapes_is_exported_for_each_of_them():
    model = drawn(Branching())
    compiled = Compiled(model)
    assert compiled.graph is None
    for shape in ((2, 2, 5, 6), (3, 2, 5, 6), (1, 2, 4, 8)):
        images = draw(*shape)
        frozen = compiled.freeze(images)
        linear = frozen.product(images.unsqueeze(1)).squeeze(1)
        torch.testing.assert_close(linear + frozen.offset(), model(images).detach(), **CLOSE)
        assert dot_test(frozen[0]) < 1e-12


class SilentBranch(nn.Module):
    """torch.fx goes the wrong way here without a word: what it traces with is no tensor."""

    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.cat([x, x.relu()], 1) if isinstance(x, torch.Tensor) else x)


def test_a_model_that_torch_fx_misreads_is_exported():
    model, images = SilentBranch().double().eval(), draw(2, 2, 3, 3)
    compiled = Compiled(model)
    assert compiled.graph is not None
    frozen = compiled.freeze(images)
    torch.testing.assert_close(frozen[1].dense(), jacobian(model, images[1:]).reshape(frozen.shape), **CLOSE)
    # Where the model itself refuses the images, there is nothing to export.
    with pytest.raises(ShapeError, match="layer head does not accept its input"):
        freeze(model, draw(2, 3, 3, 3))
