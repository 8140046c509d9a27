"""What the agent promises, and each trap of PyTorch's hooks: `python -m unittest discover -s tests`."""
import collections
import copy
import dataclasses
import io
import os
import pickle
import sys
import threading
import time
import unittest

import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cutaway_agent  # noqa: E402
from debugger import Debugger, Refused, more_than, reduce, site  # noqa: E402

IS_2 = cutaway_agent._TORCH >= (2, 0)


class Block(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.ln = nn.LayerNorm(width)
        self.fc = nn.Linear(width, width)

    def forward(self, x):
        return x + torch.tanh(self.fc(self.ln(x)))


class Net(nn.Module):
    def __init__(self, layers=3, width=8):
        super().__init__()
        self.h = nn.ModuleList([Block(width) for _ in range(layers)])
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        for block in self.h:
            x = block(x)
        return self.head(x)


class Base(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.agents = []
        self.threads = []
        self.debuggers = []

    def tearDown(self):
        for debugger in self.debuggers:
            with_suppressed(debugger.close)
        for agent in self.agents:
            agent.close()
        for thread in self.threads:
            thread.join(10)
            self.assertFalse(thread.is_alive(), "a thread of the program still stands")

    def listen(self, model, **options):
        agent = cutaway_agent.listen(model, quiet=True, **options)
        self.agents.append(agent)
        return agent

    def attach(self, agent):
        debugger = Debugger(agent)
        self.debuggers.append(debugger)
        return debugger

    def run_model(self, work):
        """Runs work in a thread, as the program. @returns a function that waits for its result"""
        out = {}

        def body():
            try:
                out["result"] = work()
            except BaseException as error:  # noqa: BLE001
                out["error"] = error

        thread = threading.Thread(target=body)
        thread.start()
        self.threads.append(thread)

        def result():
            thread.join(20)
            self.assertFalse(thread.is_alive())
            if "error" in out:
                raise out["error"]
            return out["result"]

        return result


def with_suppressed(work):
    try:
        work()
    except OSError:
        pass


class Values(Base):
    def test_values_and_gradients_are_those_of_hooks_written_by_hand(self):
        model = Net()
        x = torch.randn(2, 3, 8)
        by_hand, gradients = {}, {}

        def note(name):
            def hook(module, args, out):
                by_hand[name] = out.detach().clone()
                out.register_hook(lambda g: gradients.__setitem__(name, g.clone()))

            return hook

        handles = [m.register_forward_hook(note(n)) for n, m in model.named_modules() if n and n != "h"]
        model(x).square().sum().backward()
        weights = {n: p.grad.clone() for n, p in model.named_parameters()}
        for handle in handles:
            handle.remove()
        model.zero_grad()
        debugger = self.attach(self.listen(model))
        debugger.point(1, "after", [""])
        debugger.point(2, "backward", ["h.0.ln"])
        done = self.run_model(lambda: model(x).square().sum().backward())
        debugger.event("stopped")
        for name, value in by_hand.items():
            self.assertEqual(debugger.read(path=name, slot="out"), value.flatten().tolist(), name)
        debugger.go()
        debugger.event("stopped")
        for name in ("h.1", "h.2", "head", "h.1.fc"):
            self.assertEqual(debugger.read(grad=name, slot="out"), gradients[name].flatten().tolist(), name)
        self.assertEqual(debugger.read(slot="grad"), gradients["h.0.ln"].flatten().tolist())
        self.assertEqual(debugger.read(grad="head.weight"), weights["head.weight"].flatten().tolist())
        debugger.go()
        done()
        for name, p in model.named_parameters():
            self.assertTrue(torch.equal(p.grad, weights[name]), name)

    def test_looks_are_computed_where_the_data_is(self):
        model = Net()
        x = torch.randn(2, 3, 8)
        value = model.h[0](x).detach()
        debugger = self.attach(self.listen(model))
        debugger.point(1, "after", ["h.0"])
        done = self.run_model(lambda: model(x))
        debugger.event("stopped")
        ref = {"path": "h.0", "slot": "out"}
        stats = debugger.ask("stats", refs=[ref])["values"][0]["stats"]
        self.assertAlmostEqual(stats["mean"], float(value.mean()), 6)
        self.assertAlmostEqual(stats["std"], float(value.std(unbiased=False)), 6)
        top = debugger.ask("topk", ref=ref, k=2)
        self.assertAlmostEqual(top["values"][0], float(value.max()), 6)
        self.assertAlmostEqual(float(value[tuple(top["indices"][0])]), float(value.max()), 6)
        counts = debugger.ask("histogram", ref=ref, bins=5)["counts"]
        self.assertEqual(sum(counts), value.numel())
        shape, data = debugger.ask_bytes("pyramid", ref=ref, level=2)
        self.assertEqual(shape["shape"], [2, 1, 2])
        import struct

        expected = value[0, :, :4].flatten()
        expected = expected[expected.abs().argmax()]
        self.assertAlmostEqual(struct.unpack("<4f", data)[0], float(expected), 6)
        with self.assertRaises(Refused) as refused:
            debugger.ask("children", ref=ref, at=[9], start=0, stop=2)
        self.assertEqual(refused.exception.code, "SELECTOR_INVALID")
        part = debugger.ask("children", ref=ref, at=[1, 2], start=0, stop=8)["children"]
        self.assertEqual([c["number"] for c in part], value[1, 2].tolist())
        debugger.go()
        done()

    def test_capture_gives_what_a_prompt_gives_and_leaves_nothing(self):
        class Words(nn.Module):
            def __init__(self):
                super().__init__()
                self.wte = nn.Embedding(20, 8)
                self.drop = nn.Dropout(0.5)
                self.net = Net()

            def forward(self, ids):
                return self.net(self.drop(self.wte(ids)))

        model = Words().train()
        agent = self.listen(model)
        values = agent.capture([[1, 2, 3]], ["net.h.*", "wte", "net.head.in"])
        self.assertLessEqual({"wte", "net.head.in", "net.h.0.fc", "net.h.2"}, set(values))
        self.assertTrue(torch.equal(values["wte"][0], model.wte.weight[[1, 2, 3]].detach()))
        self.assertTrue(model.training and model.drop.training)
        self.assertEqual(sum(len(m._forward_hooks) for m in model.modules()), 0)
        with self.assertRaises(cutaway_agent.Problem) as wrong:
            agent.capture([1], ["nowhere"])
        self.assertEqual(wrong.exception.code, "SITE_UNKNOWN")

    def test_conditions_are_data_and_bounded(self):
        model = Net()
        debugger = self.attach(self.listen(model))
        norm = reduce("norm", site("h.1"))
        debugger.point(1, "after", ["h.0", "h.1"], condition=more_than(norm, 0))
        x = torch.randn(1, 2, 8)
        done = self.run_model(lambda: [model(x), model(x)])
        self.assertEqual(debugger.event("stopped")["path"], "h.1")  # of h.0 the value is not there yet
        tree = {"kind": "__import__", "value": "os"}
        with self.assertRaises(Refused) as refused:
            debugger.ask("evaluate", tree=tree)
        self.assertEqual(refused.exception.code, "EXPRESSION_INVALID")
        deep = {"kind": "number", "value": 1}
        for _ in range(600):
            deep = {"kind": "binary", "operator": "+", "left": {"kind": "number", "value": 1}, "right": deep}
        with self.assertRaises(Refused):
            debugger.ask("evaluate", tree=deep)
        self.assertEqual(debugger.ask("evaluate", tree=more_than(reduce("nan", site("h.1")), -1))["value"], True)
        debugger.ask("points", remove=[1])
        debugger.point(2, "before", ["head"], condition=more_than(site("h.1"), 0))  # many numbers: this has no answer
        debugger.go()
        self.assertIn("one number is needed", debugger.event("stopped")["why"]["problem"])
        debugger.ask("points", remove=[2])
        debugger.point(3, "before", ["h.0"], hits={"op": "==", "n": 1})
        debugger.go()
        debugger.event("stopped")
        debugger.go()
        done()


class Traps(Base):
    def test_what_is_changed_in_place_later_is_not_shown_as_if_it_had_been_so(self):
        model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))
        x = torch.randn(3, 4)
        plain = model(x)
        debugger = self.attach(self.listen(model))
        debugger.point(1, "after", ["0"])
        debugger.point(2, "after", ["1"])
        done = self.run_model(lambda: model(x))
        debugger.event("stopped")
        before = debugger.read(path="0", slot="out")
        self.assertTrue(min(before) < 0)
        debugger.go()
        debugger.event("stopped")
        with self.assertRaises(Refused) as refused:
            debugger.read(path="0", slot="out")
        self.assertEqual(refused.exception.code, "SITE_NOT_CAPTURED")
        debugger.go()
        self.assertTrue(torch.equal(done(), plain))

    def test_outputs_in_dicts_and_dataclasses_are_read_changed_and_have_gradients(self):
        @dataclasses.dataclass
        class Output:
            score: torch.Tensor
            rest: dict

        class Inner(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(4, 4)

            def forward(self, *, x):
                y = self.fc(x)
                return Output(score=y, rest={"twice": [2 * y]})

        class Outer(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = Inner()

            def forward(self, x):
                self.kept = self.inner(x=x)
                return {"loss": (self.kept.score * self.kept.rest["twice"][0]).sum()}

        model = Outer()
        debugger = self.attach(self.listen(model))
        debugger.point(1, "after", ["inner"])
        debugger.point(2, "backward", ["inner"])
        x = torch.randn(2, 4)
        done = self.run_model(lambda: model(x)["loss"].backward())
        stop = debugger.event("stopped")
        self.assertEqual([s["name"] for s in stop["slots"]], ["out.score", "out.rest.twice.0"])
        self.assertEqual([s["name"] for s in stop["given"]], ["kw.x"] if IS_2 else [])
        patch = {"path": "inner", "when": "after", "slot": "out.rest.twice.0", "act": "set", "value": 3}
        debugger.ask("patches", patches=[patch])
        debugger.go()
        stops = [debugger.event("stopped")]
        debugger.go()
        stops.append(debugger.event("stopped"))
        names = sorted(s["name"] for stop in stops for s in stop["slots"])
        self.assertEqual(names, ["grad.rest.twice.0", "grad.score"])
        debugger.go()
        done()
        self.assertTrue(bool((model.kept.rest["twice"][0] == 3).all()))

    def test_tied_weights_are_known_by_all_their_names(self):
        class Tied(nn.Module):
            def __init__(self):
                super().__init__()
                self.wte = nn.Embedding(7, 4)
                self.head = nn.Linear(4, 7, bias=False)
                self.head.weight = self.wte.weight

            def forward(self, ids):
                return self.head(self.wte(ids))

        model = Tied()
        debugger = self.attach(self.listen(model))
        self.assertEqual(debugger.read(param="head.weight"), debugger.read(param="wte.weight"))
        modules = {m["path"]: m for m in debugger.ask("describe")["modules"]}
        self.assertEqual(modules["wte"]["weights"][0]["storage"], modules["head"]["weights"][0]["storage"])
        debugger.ask("weight", name="head.weight", act="*=", value=2)
        self.assertEqual(debugger.read(param="head.weight"), debugger.read(param="wte.weight"))

    def test_changes_of_weights_are_made_without_gradients_and_counted(self):
        model = Net()
        debugger = self.attach(self.listen(model))
        version = model.head.weight._version
        undo = debugger.ask("weight", name="head.weight", axes=["out", "in"], where={"out": 1}, act="=", value=0)
        self.assertGreater(model.head.weight._version, version)
        self.assertTrue(model.head.weight.requires_grad and model.head.weight.is_leaf)
        self.assertEqual(float(model.head.weight[1].abs().sum()), 0.0)
        self.assertGreater(float(model.head.weight[0].abs().sum()), 0.0)
        debugger.ask("unweight", undo=undo["undo"])
        self.assertGreater(float(model.head.weight[1].abs().sum()), 0.0)
        # autograd notices what is changed between forward and backward
        loss = model(torch.randn(1, 8, requires_grad=True)).square().sum()
        debugger.ask("weight", name="head.weight", act="*=", value=2)
        with self.assertRaisesRegex(RuntimeError, "modified by an inplace operation"):
            loss.backward()

    def test_a_changed_value_keeps_its_gradient(self):
        model = Net()
        debugger = self.attach(self.listen(model))
        patch = {"path": "h.1", "when": "after", "slot": "out", "act": "scale", "value": 0.5}
        debugger.ask("patches", patches=[patch])
        x = torch.randn(2, 8)
        self.run_model(lambda: model(x).sum().backward())()
        found = model.h[0].fc.weight.grad.clone()
        debugger.ask("patches", patches=[])
        model.zero_grad()
        handle = model.h[1].register_forward_hook(lambda m, a, o: o * 0.5)
        model(x).sum().backward()
        handle.remove()
        self.assertTrue(torch.allclose(found, model.h[0].fc.weight.grad, atol=1e-7))

    def test_checkpointing_computes_twice_and_stops_once(self):
        from torch.utils.checkpoint import checkpoint

        class Checkpointed(Net):
            reentrant = False

            def forward(self, x):
                for block in self.h:
                    x = checkpoint(block, x, use_reentrant=self.reentrant)
                return self.head(x)

        for reentrant in (False, True):
            if reentrant is False and not IS_2:
                continue
            torch.manual_seed(0)
            model = Checkpointed()
            model.reentrant = reentrant
            x = torch.randn(2, 8, requires_grad=True)
            handle = model.h[1].fc.register_forward_hook(lambda m, a, o: o * 0.5)
            model(x).sum().backward()
            handle.remove()
            expected = {n: p.grad.clone() for n, p in model.named_parameters()}
            model.zero_grad()
            debugger = self.attach(self.listen(model))
            debugger.point(1, "after", ["h.1.fc"])
            patch = {"path": "h.1.fc", "when": "after", "slot": "out", "act": "scale", "value": 0.5}
            debugger.ask("patches", patches=[patch])
            done = self.run_model(lambda: model(x).sum().backward())
            debugger.event("stopped")
            debugger.go()
            if IS_2:
                done()
                self.assertTrue(debugger.events.empty())
                self.assertEqual(debugger.ask("met")["met"], {"1": 1})
                for name, p in model.named_parameters():
                    self.assertTrue(torch.allclose(p.grad, expected[name], atol=1e-6), (reentrant, name))
            debugger.close()

    def test_a_debugger_that_leaves_while_a_value_is_kept(self):
        class Twice(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)

            def forward(self, x):
                return self.fc(self.fc(x))

        class Watched(collections.OrderedDict):
            """Has everything forgotten, by another thread, as soon as something was found."""

            def __contains__(self, key):
                found = super().__contains__(key)
                if found:
                    leaving = threading.Thread(target=agent._forget_kept)
                    leaving.start()
                    leaving.join(0.05)
                return found

        model = Twice()
        agent = self.listen(model)
        debugger = self.attach(agent)
        debugger.point(1, "after", ["fc"], condition=more_than(reduce("norm", site("fc")), 1e9))
        agent.kept = Watched()
        x = torch.randn(1, 8)
        self.assertTrue(torch.equal(model(x), model.fc(model.fc(x))))
        self.assertIn(("fc", "out"), agent.kept)

    def test_fast_paths_of_pytorchs_own_layers(self):
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
        model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
        x = torch.randn(1, 3, 8)
        with torch.no_grad():
            plain = model(x)
            debugger = self.attach(self.listen(model))
            self.assertTrue(torch.equal(model(x), plain))  # attached, and nothing asked for
            self.assertTrue(debugger.ask("describe")["fastPath"])
            debugger.point(1, "after", ["layers.0.linear1"])

            def run():
                with torch.no_grad():
                    return model(x)

            done = self.run_model(run)
            self.assertEqual(debugger.event("stopped")["path"], "layers.0.linear1")
            with self.assertRaises(Refused) as refused:  # attention reads its weights without calling it
                debugger.read(path="layers.0.self_attn.out_proj", slot="out")
            self.assertEqual(refused.exception.code, "SITE_NOT_CAPTURED")
            debugger.go()
            self.assertTrue(torch.allclose(done(), plain, atol=1e-6))

    @unittest.skipUnless(cutaway_agent._TORCH >= (2, 6), "torch.compiler.set_stance is of PyTorch 2.6")
    def test_a_compiled_model_runs_uncompiled_while_something_is_asked(self):
        model = Net()
        calls = []

        def backend(graph, inputs):
            def run(*args):
                calls.append(1)
                return graph.forward(*args)

            return run

        compiled = torch.compile(model, backend=backend)
        x = torch.randn(1, 2, 8)
        plain = compiled(x)
        self.assertTrue(calls)
        debugger = self.attach(self.listen(compiled))
        debugger.point(1, "after", ["h.1.fc"])
        self.assertIn("uncompiled", debugger.event("note")["text"])
        calls.clear()
        done = self.run_model(lambda: compiled(x))
        self.assertEqual(debugger.event("stopped")["path"], "h.1.fc")
        debugger.go()
        self.assertTrue(torch.allclose(done(), plain, atol=1e-6))
        self.assertFalse(calls)
        debugger.close()
        self.assertTrue(cutaway_agent._wait_for(lambda: not self.agents[-1].active, 5))
        compiled(x)
        self.assertTrue(calls)

    def test_threads_stand_one_at_a_time_and_all_go_on_when_the_debugger_is_gone(self):
        model = Net()
        debugger = self.attach(self.listen(model))
        debugger.point(1, "after", ["h.0"])
        results = [self.run_model(lambda: model(torch.ones(1, 8))) for _ in range(3)]
        first = debugger.event("stopped")
        debugger.go()
        second = debugger.event("stopped")
        self.assertNotEqual(first["thread"], second["thread"])
        debugger.close()
        for result in results:
            self.assertEqual(tuple(result().shape), (1, 5))

    @unittest.skipUnless(IS_2, "optimisers have hooks from PyTorch 2.0 on")
    def test_hooks_are_gone_before_what_stood_goes_on_and_others_behind_them_are_called(self):
        for others in (False, True):
            with self.subTest(others=others):
                model, called = Net(), []
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
                debugger = self.attach(self.listen(model, optimizer=optimizer))
                debugger.point(1, "optimiser", [""])
                if others:
                    optimizer.register_step_pre_hook(lambda *_: called.append("before"))
                    optimizer.register_step_post_hook(lambda *_: called.append("after"))

                def train():
                    model(torch.ones(1, 8)).sum().backward()
                    optimizer.step()
                    return sum(len(m._forward_hooks) for m in model.modules())

                done = self.run_model(train)
                self.assertEqual(debugger.event("stopped")["when"], "optimiser")
                debugger.close()
                self.assertEqual(done(), 0)
                self.assertEqual(called, ["before", "after"] if others else [])
                idle = lambda: not self.agents[-1].active  # noqa: E731
                self.assertTrue(cutaway_agent._wait_for(idle, 5))
                self.assertEqual(len(optimizer._optimizer_step_pre_hooks), 1 if others else 0)

    def test_replicas_of_data_parallel_go_by_their_paths(self):
        model = Net()
        debugger = self.attach(self.listen(nn.DataParallel(model)))
        debugger.point(1, "after", ["h.1"])

        def copy_of(module):
            replica = module._replicate_for_data_parallel()
            for name, child in module._modules.items():
                replica._modules[name] = copy_of(child)
            replica._parameters = dict(module._parameters)
            return replica

        replica = copy_of(model)
        plain = Net()
        plain.load_state_dict(model.state_dict())
        done = self.run_model(lambda: replica(torch.ones(1, 8)))
        stop = debugger.event("stopped")
        self.assertEqual([f["path"] for f in stop["stack"]], ["", "h.1"])
        debugger.go()
        self.assertTrue(torch.equal(done(), plain(torch.ones(1, 8))))

    def test_inference_mode(self):
        model = Net()
        debugger = self.attach(self.listen(model))
        debugger.point(1, "after", ["h.1"])

        def run():
            with torch.inference_mode():
                return model(torch.ones(1, 8))

        done = self.run_model(run)
        self.assertTrue(debugger.event("stopped")["context"]["inference"])
        patch = {"path": "h.1", "when": "after", "slot": "out", "act": "zero"}
        debugger.ask("patches", patches=[patch])
        self.assertEqual(len(debugger.read(path="h.0", slot="out")), 8)
        debugger.go()
        zero = done()
        with torch.no_grad():
            expected = model.head(model.h[2](torch.zeros(1, 8)))
        self.assertTrue(torch.allclose(zero, expected))

    def test_copies_and_files_of_a_model_have_no_agent_in_them(self):
        model = Net()
        agent = self.listen(model)
        debugger = self.attach(agent)
        debugger.point(1, "after", ["h.1"])
        twin = copy.deepcopy(model)
        twin(torch.ones(1, 8))  # would stand, if it had the hooks
        loaded = pickle.loads(pickle.dumps(model))
        loaded(torch.ones(1, 8))
        file = io.BytesIO()
        torch.save(model, file)
        self.assertNotIn(b"cutaway_agent", file.getvalue().replace(b"cutaway_agent.tests", b""))

    def test_a_module_that_is_called_several_times_has_calls_with_numbers(self):
        class Recurrent(nn.Module):
            def __init__(self):
                super().__init__()
                self.cell = nn.Linear(4, 4)

            def forward(self, x):
                for _ in range(3):
                    x = torch.tanh(self.cell(x))
                return x

        model = Recurrent()
        debugger = self.attach(self.listen(model))
        debugger.point(1, "after", ["cell"])
        done = self.run_model(lambda: model(torch.ones(1, 4)))
        numbers = []
        for _ in range(3):
            numbers.append(debugger.event("stopped")["nth"])
            debugger.go()
        done()
        self.assertEqual(numbers, [0, 1, 2])

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork here")
    def test_a_forked_process_never_stands(self):
        model = Net()
        debugger = self.attach(self.listen(model))
        debugger.point(1, "before", ["h.1"])
        pid = os.fork()
        if pid == 0:
            torch.set_num_threads(1)
            model(torch.ones(1, 8))
            os._exit(7)
        for _ in range(200):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            time.sleep(0.05)
        else:
            os.kill(pid, 9)
            self.fail("the forked process stands")
        self.assertEqual(status >> 8, 7)

    @unittest.skipUnless(IS_2, "before PyTorch 2.0 a hook does not see exceptions")
    def test_an_exception_is_caught_and_leaves_no_frames_behind(self):
        class Failing(Net):
            fail = True

            def forward(self, x):
                x = self.h[0](x)
                if self.fail:
                    self.h[1](torch.ones(1, 3))
                return self.head(x)

        model = Failing()
        debugger = self.attach(self.listen(model))
        debugger.ask("points", caught=[{"kind": "error"}])
        done = self.run_model(lambda: model(torch.ones(1, 8)))
        stop = debugger.event("stopped")
        self.assertEqual((stop["when"], stop["path"]), ("error", "h.1.ln"))
        self.assertIn("RuntimeError", stop["why"]["description"])
        debugger.go()
        with self.assertRaises(RuntimeError):
            done()
        model.fail = False
        debugger.point(1, "after", ["h.0"])
        done = self.run_model(lambda: model(torch.ones(1, 8)))
        self.assertEqual([f["path"] for f in debugger.event("stopped")["stack"]], ["", "h.0"])
        debugger.go()
        done()


class Safety(Base):
    def test_a_wrong_token_another_debugger_and_bytes_that_are_no_frame(self):
        agent = self.listen(Net())
        with self.assertRaises(Refused) as refused:
            Debugger(agent, token="guess")
        self.assertEqual(refused.exception.code, "AGENT_REFUSED")
        import socket

        for data in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x00" * 64, b"\xff" * 64, b"\x02\x00\x00\x00\x00\x00\x00\x00{}"):
            sock = socket.create_connection(agent.address)
            sock.sendall(data)
            sock.settimeout(10)
            rest = b""
            while True:
                part = sock.recv(4096)
                if not part:
                    break
                rest += part
            self.assertNotIn(b'"answer"', rest)
            sock.close()
        debugger = self.attach(agent)
        with self.assertRaises(Refused):
            Debugger(agent)
        self.assertEqual(debugger.ask("met"), {"met": {}})
        self.assertEqual(agent.address[0], "127.0.0.1")

    def test_at_the_end_of_the_process_a_debugger_that_goes_frees_nothing_in_its_thread(self):
        model = Net()
        agent = self.listen(model)
        debugger = self.attach(agent)
        debugger.point(1, "after", ["h.1"], condition=more_than(reduce("norm", site("h.1")), 1e9))
        model(torch.ones(1, 8))
        self.assertTrue(agent.kept)
        agent.end_serving()
        debugger.close()
        serving = [t for t in threading.enumerate() if t.name == "cutaway"]
        self.assertTrue(cutaway_agent._wait_for(lambda: sum(t.is_alive() for t in serving) <= 1, 5))  # who accepts goes on
        self.assertTrue(agent.kept)
        self.assertTrue(agent.active)

    def test_a_lost_connection_releases_every_thread_and_removes_every_hook(self):
        model = Net()
        before = {n: (len(m._forward_hooks), len(m._forward_pre_hooks)) for n, m in model.named_modules()}
        agent = self.listen(model)
        debugger = self.attach(agent)
        debugger.point(1, "before", ["h.1"])
        patch = {"path": "h.1", "when": "after", "slot": "out", "act": "zero"}
        debugger.ask("patches", patches=[patch])
        done = self.run_model(lambda: model(torch.ones(1, 8)))
        debugger.event("stopped")
        debugger.close()
        done()
        self.assertTrue(cutaway_agent._wait_for(lambda: not agent.active, 5))
        after = {n: (len(m._forward_hooks), len(m._forward_pre_hooks)) for n, m in model.named_modules()}
        self.assertEqual({n: (a - before[n][0], b - before[n][1]) for n, (a, b) in after.items() if n}, {n: (0, 0) for n in before if n})
        self.assertEqual(after[""], (0, 1))  # that one counts passes
        self.assertEqual(agent.patches, [])
        agent.close()
        self.assertEqual(len(model._forward_pre_hooks), 0)
        self.assertEqual(torch.Tensor.backward.__module__, "torch._tensor")

    def test_a_debugger_that_asks_nothing_can_be_given_up(self):
        model = Net()
        debugger = self.attach(self.listen(model, stop_timeout=0.3))
        debugger.point(1, "before", ["h.1"])
        done = self.run_model(lambda: model(torch.ones(1, 8)))
        debugger.event("stopped")
        done()
        self.assertIn("nothing was asked", debugger.event("note")["text"])

    def test_log_points_are_limited(self):
        model = Net()
        debugger = self.attach(self.listen(model))
        debugger.point(1, "after", ["h.0"], log=["x ", reduce("norm", site("h.0"))])

        def run():
            for _ in range(600):
                model(torch.ones(1, 8))

        self.run_model(run)()
        time.sleep(1.1)
        self.run_model(lambda: model(torch.ones(1, 8)))()
        self.assertIn("left out", debugger.event("note")["text"])

    def test_idle_costs_one_hook_on_the_root(self):
        model = Net()
        debugger = self.attach(self.listen(model))
        model(torch.ones(1, 8))
        hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
        self.assertEqual(hooks, 1)
        debugger.ask("met")


if __name__ == "__main__":
    unittest.main()
