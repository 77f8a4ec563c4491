"""How layers are linked in the matrix of a network: the gated middle factor, and what the outer layers drop."""

import torch
from torch import nn

from paperlib.operators import freeze
from paperlib.projection import left_projection_ratio, right_projection_ratio
from paperlib.subspaces import four_spaces, layer_rejections, rejected_energy
from paperlib.svd import batched_svd
from paperlib.svr import adjacency, spectral_neurons


def test_gated_middle_factor_gives_the_matrix_of_two_layers():
    torch.manual_seed(0)
    first, last = nn.Linear(9, 7, bias=False).double(), nn.Linear(7, 5, bias=False).double()
    model = nn.Sequential(first, nn.ReLU(), last)
    x = torch.randn(6, 9, dtype=torch.float64)
    earlier, later = spectral_neurons(first), spectral_neurons(last)
    for image in x:
        gates = torch.diag((first(image) > 0).double())
        middle = later.V[:, 0].T @ gates @ earlier.U[:, 0]
        found = (later.U[:, 0] * later.S) @ middle @ (earlier.S.unsqueeze(1) * earlier.V[:, 0].T)
        torch.testing.assert_close(found, freeze(model, image[None])[0].dense(), rtol=0, atol=1e-12)
    open_middle = later.V[:, 0].T @ earlier.U[:, 0]
    torch.testing.assert_close(adjacency(later, earlier).coefficients, open_middle.square(), rtol=0, atol=1e-14)


def test_a_network_reads_no_more_than_its_first_layer_and_writes_no_more_than_its_last():
    torch.manual_seed(1)
    model = (
        nn.Sequential(
            nn.Conv2d(1, 2, 3, stride=3, bias=False),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(18, 3, bias=False),
            nn.ReLU(),
            nn.Linear(3, 6, bias=False),
        )
        .double()
        .eval()
    )
    images = torch.rand(30, 1, 9, 9, dtype=torch.float64)
    frozen = freeze(model, images)
    kept = 1 - layer_rejections(model, images, reading="map")["0"].rejected
    last = four_spaces(model[-1].weight.detach()).column_space
    t = torch.randn(30, 6, dtype=torch.float64)
    reachable = 1 - rejected_energy(last, t)
    triplets = batched_svd(frozen)
    for index in range(30):
        rank = int((triplets.S[index] > 1e-9 * triplets.S[index, 0]).sum())
        read = right_projection_ratio(triplets.Vh[index, :rank], images[index].flatten())
        written = left_projection_ratio(triplets.U[index][:, :rank], t[index])
        assert (read <= kept[index] + 1e-12).all() and (written <= reachable[index] + 1e-12).all()
    assert kept.max() < 1 and reachable.max() < 1
