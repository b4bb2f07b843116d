"""Holds package rollback/exact to scipy, and where the numbers are small to
fractions of whole numbers, on thousands of random tables.

EXACT is the built command test/exact. Run as a program, this writes
rollback/exact/testdata/scipy.jsonl, with which go test works without Python."""

import json
import math
import os
import random
import subprocess
import sys
from fractions import Fraction

import numpy
from scipy import stats

KEYS = ("Calls", "Errors", "OtherCalls", "OtherErrors")
TABLES = 4000


def table(rng, largest):
    """A table of any size up to the largest, with any rates: mostly low ones."""
    calls, others = (int(math.exp(rng.uniform(0, math.log(largest)))) for _ in range(2))
    rate = rng.choice([0, 0.001, 0.01, 0.1, 0.5, 1]) * rng.random()
    errors = [min(n, int(n * min(1, rate * rng.choice([0, 1, 1, 1.2, 2])) + rng.choice([0, 0, 1, 2, 5]))) for n in (calls, others)]
    return dict(zip(KEYS, (calls, errors[0], others, errors[1])))


def of(t):
    return (t[key] for key in KEYS)


def fisher(t):
    a, x, b, y = of(t)
    return stats.fisher_exact([[x, a - x], [y, b - y]], alternative="greater").pvalue


def stratified(strata):
    """The sum of independent hypergeometric numbers, by scipy and numpy."""
    total, observed = numpy.array([1.0]), 0
    for a, x, b, y in map(of, strata):
        low, high = max(0, x + y - b), min(x + y, a)
        pmf = stats.hypergeom.pmf(numpy.arange(low, high + 1), a + b, x + y, a)
        total = numpy.convolve(total, pmf)
        observed += x - low
    return math.fsum(total[observed:])


def counted(strata):
    """The same in whole numbers, without any rounding."""
    ways, observed = [1], 0
    for a, x, b, y in map(of, strata):
        low, high = max(0, x + y - b), min(x + y, a)
        own = [math.comb(a, k) * math.comb(b, x + y - k) for k in range(low, high + 1)]
        into = [0] * (len(ways) + len(own) - 1)
        for i, one in enumerate(ways):
            for j, other in enumerate(own):
                into[i + j] += one * other
        ways = into
        observed += x - low
    return float(Fraction(sum(ways[observed:]), sum(ways)))


def power(question):
    """Every number of errors is tried, so that nothing rests on a search."""
    (t,) = question["strata"]
    a, _, b, y = of(t)
    rate = min(1, question["rise"] + (y / b if b else 0))
    rejected = [x for x in range(question["least"], a + 1) if stats.hypergeom.sf(x - 1, a + b, x + y, a) <= question["alpha"]]
    return math.fsum(stats.binom.pmf(x, a, rate) for x in rejected)


def ask(questions):
    lines = "\n".join(json.dumps(question) for question in questions)
    done = subprocess.run([os.environ["EXACT"]], input=lines, capture_output=True, text=True, check=True)
    answers = [float(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(questions)
    return answers


def hold(questions, known, relative, absolute=0.0):
    assert len(questions) > 100
    worst = 0
    for question, ours in zip(questions, ask(questions)):
        theirs = known(question)
        if max(ours, theirs) < 1e-40:
            continue
        assert math.isclose(ours, theirs, rel_tol=relative, abs_tol=absolute), (question, ours, theirs)
        worst = max(worst, abs(ours - theirs) / (1 if absolute else max(ours, theirs)))
    print(f"{len(questions)} questions, difference at most {worst:.1e}")


def one_table(rng, n, largest):
    return [{"strata": [table(rng, largest)]} for _ in range(n)]


def several(rng, n, largest):
    return [{"strata": [table(rng, largest) for _ in range(rng.randint(2, 4))]} for _ in range(n)]


def powers(rng, n, largest):
    return [
        {"strata": [table(rng, largest)], "rise": rng.choice([0.05, 0.2]), "alpha": 0.01 / rng.choice([1, 5, 15]), "least": 2}
        for _ in range(n)
    ]


def test_fisher_against_whole_numbers():
    hold(one_table(random.Random(1), TABLES, 1000), lambda q: counted(q["strata"]), 1e-11)


def test_fisher_against_scipy():
    hold(one_table(random.Random(2), TABLES, 1e7), lambda q: fisher(q["strata"][0]), 1e-6)


def test_strata_against_whole_numbers():
    hold(several(random.Random(3), TABLES, 60), lambda q: counted(q["strata"]), 1e-11)


def test_strata_against_numpy():
    hold(several(random.Random(4), TABLES, 3000), lambda q: stratified(q["strata"]), 1e-8)


def test_power_against_every_number_of_errors():
    hold(powers(random.Random(5), TABLES // 8, 600), power, 0, absolute=1e-10)


def vectors():
    rng = random.Random(6)
    for question in one_table(rng, 40, 1000) + several(rng, 40, 60):
        yield question | {"answer": counted(question["strata"])}
    for question in one_table(rng, 20, 1e7):
        yield question | {"answer": fisher(question["strata"][0])}
    for question in powers(rng, 20, 400):
        yield question | {"answer": power(question)}


if __name__ == "__main__":
    for question in vectors():
        json.dump(question, sys.stdout)
        print()
