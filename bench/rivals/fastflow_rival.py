"""FastFlow's rival: the time of its training step in PyTorch with FrEIA's blocks, on the features of a ResNet-50 at
256x256 (random numbers; time does not depend on them). CPU time of all threads, for machines with other work, and time of
the clock; ours: `efficientad bench step --set model.method=fastflow --set model.backbone=RESNET50 --set fastflow.batch=4`.

    python3 bench/rivals/fastflow_rival.py --batch 4 --threads 2 --repeats 3      # needs torch, FrEIA"""
import argparse
import json
import time

import torch
from FrEIA.framework import SequenceINN
from FrEIA.modules import AllInOneBlock

SHAPES = [(256, 64, 64), (512, 32, 32), (1024, 16, 16)]
COUPLINGS = 8


def network(kernel):
    def make(inputs, outputs):
        return torch.nn.Sequential(torch.nn.Conv2d(inputs, inputs, kernel, padding="same"), torch.nn.ReLU(),
                                   torch.nn.Conv2d(inputs, outputs, kernel, padding="same"))
    return make


def flow(shape):
    nodes = SequenceINN(*shape)
    for k in range(COUPLINGS):
        nodes.append(AllInOneBlock, subnet_constructor=network(3 if k % 2 == 0 else 1), affine_clamping=2.0,
                     permute_soft=False)
    return nodes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    norms, flows = [torch.nn.LayerNorm(s) for s in SHAPES], [flow(s) for s in SHAPES]
    features = [torch.randn(options.batch, *s) for s in SHAPES]
    parameters = [p for module in norms + flows for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=1e-3, weight_decay=1e-5)
    for repeat in range(options.repeats + 1):  # the first warms up
        clock, cpu = time.perf_counter(), time.process_time()
        loss = 0
        for norm, nodes, x in zip(norms, flows, features):
            z, jacobian = nodes(norm(x))
            loss = loss + (0.5 * (z ** 2).sum((1, 2, 3)) - jacobian).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if repeat:
            print(json.dumps({"bench": "fastflow step", "batch": options.batch, "threads": options.threads,
                              "cpu_s": round(time.process_time() - cpu, 3),
                              "wall_s": round(time.perf_counter() - clock, 3)}), flush=True)


if __name__ == "__main__":
    main()
