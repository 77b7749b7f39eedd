"""Stands in for aws, curl, docker, gh, git, kubectl, make or sleep, by the name of the called program.

WORLD is a file with the state of the fakes, written by marshal: workloads as in Kubernetes, the registry, the
parameter, and comments and issues of GitHub. Commands change it, and each call is added to its `calls`.
"""

from __future__ import annotations

import fcntl
import marshal
import os
import sys

# Scripts call this a hundred times: modules that few calls need are imported there, and json takes as long to
# import as Python to start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

# In a pipe the reader waits for the writer before it locks the world.
GIVEN = sys.stdin.read() if "--password-stdin" in sys.argv else ""
PLACE = os.environ["WORLD"]
TURN = os.open(f"{PLACE}.lock", os.O_WRONLY | os.O_CREAT)
fcntl.flock(TURN, fcntl.LOCK_EX)
with open(PLACE, "rb") as world:
    WORLD: dict[str, Any] = marshal.load(world)


def end(code: int = 0, out: str = "", error: str = "") -> NoReturn:
    with open(PLACE, "wb") as world:
        marshal.dump(WORLD, world)
    sys.stdout.write(out)
    sys.stderr.write(error)
    sys.exit(code)


def option(arguments: list[str], name: str) -> str:
    """The value of `--name=value` or `--name value`."""
    for index, word in enumerate(arguments):
        if word == f"--{name}":
            return arguments[index + 1]
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
    raise SystemExit(f"{arguments}: no --{name}")


def shown(thing: dict[str, Any], output: str) -> tuple[int, str, str]:
    """An object as real kubectl prints it: a local annotation needs no cluster. Results are cached."""
    import zlib

    asked = repr((output, thing))
    cached = os.path.join(WORLD["shown"], str(zlib.crc32(asked.encode())))
    if os.path.exists(cached):
        with open(cached, "rb") as kept:
            earlier, answer = marshal.load(kept)
        if earlier == asked:
            code, out, error = answer
            return code, out, error
    import json
    import subprocess

    command = [WORLD["kubectl"], "annotate", "--local", "-f", "-", "seen=yes", f"--output={output}"]
    done = subprocess.run(command, input=json.dumps(thing), capture_output=True, text=True, check=False)
    answer = (done.returncode, done.stdout, done.stderr)
    with open(f"{cached}.{os.getpid()}", "wb") as file:
        marshal.dump((asked, answer), file)
    os.replace(file.name, cached)
    return answer


def containers(thing: dict[str, Any]) -> list[dict[str, Any]]:
    spec = thing["spec"]["jobTemplate"]["spec"] if thing["kind"] == "CronJob" else thing["spec"]
    listed: list[dict[str, Any]] = spec["template"]["spec"]["containers"]
    return listed


def there(name: str) -> dict[str, Any]:
    if name not in WORLD["cluster"]:
        end(1, error=f"Error from server (NotFound): {name} not found\n")
    stored: dict[str, Any] = WORLD["cluster"][name]
    return stored


def kubectl(arguments: list[str]) -> None:
    match arguments:
        case ["config", "set-context", *_] | ["logs", *_] | ["get", "pods" | "events", *_]:
            end()
        case ["auth", "can-i", *_]:
            end(0 if WORLD["reachable"] else 1, "yes\n" if WORLD["reachable"] else "no\n")
        case ["get", kind, name, *more]:
            thing = WORLD["cluster"].get(f"{kind}/{name}")
            if thing is None:
                end(0) if "--ignore-not-found" in more else there(f"{kind}/{name}")
            end(*shown(thing, option(more, "output")))
        case ["set", "image", name, image]:
            container, _, new = image.partition("=")
            for each in containers(there(name)):
                if each["name"] == container:
                    each["image"] = new
                    end()
            end(1, error=f'error: unable to find container named "{container}"\n')
        case ["annotate", name, *_]:
            there(name)
            end()
        case ["scale", name, *_]:
            there(name)["spec"]["replicas"] = int(option(arguments, "replicas"))
            end()
        case ["create", "job", name, origin]:
            template = there(origin.removeprefix("--from="))["spec"]["jobTemplate"]
            job = {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"name": name},
                "spec": template["spec"],
            }
            image = containers(job)[0]["image"]
            outcome = WORLD["migrations"].get(image, "Complete")
            job["status"] = {"conditions": [{"type": outcome, "status": "True"}] if outcome else []}
            WORLD["cluster"][f"job/{name}"] = job
            end()
        case ["rollout", "status", name, *_]:
            (app,) = containers(there(name))
            stuck = app["image"] in WORLD["broken"]
            end(1 if stuck else 0, error="error: timed out waiting for the condition\n" if stuck else "")
        case _:
            end(2, error=f"kubectl {arguments}: not expected\n")


def aws(arguments: list[str]) -> None:
    match arguments[:2]:
        case ["sts", "get-caller-identity"]:
            end(out=f"{WORLD.get('account', '123456789012')}\n")
        case ["eks", "update-kubeconfig"] | ["ecr", "get-login-password"]:
            end(out="secret\n")
        case ["ecr", "describe-images"]:
            tag = option(arguments, "image-ids").removeprefix("imageTag=")
            if WORLD["registry"] == "refuses":
                end(254, error="An error occurred (AccessDeniedException) when calling DescribeImages\n")
            if tag in WORLD["registry"]:
                end(out=WORLD["registry"][tag] + "\n")
            end(254, error="An error occurred (ImageNotFoundException) when calling DescribeImages\n")
        case ["ssm", "put-parameter"]:
            WORLD["parameters"][option(arguments, "name")] = option(arguments, "value")
            end(0 if WORLD["records"] else 254)
        case _:
            end(2, error=f"aws {arguments}: not expected\n")


def docker(arguments: list[str]) -> None:
    match arguments:
        case ["login", *_]:
            WORLD.setdefault("logins", []).append([arguments[-1], GIVEN])
            end()
        case ["buildx", "build", *_] if "--metadata-file" in arguments:
            import json

            built = json.dumps({"containerimage.digest": WORLD["digest"]}, indent=2)
            with open(option(arguments, "metadata-file"), "w") as file:
                file.write(built)
            end()
        case ["buildx", "build", *_]:
            end(0 if WORLD.get("tests", True) else 1)
        case ["buildx", "imagetools", "create", "--prefer-index=false", "--tag", name, _]:
            WORLD["registry"][name.rpartition(":")[2]] = WORLD["digest"]
            end()
        case _:
            end(2, error=f"docker {arguments}: not expected\n")


def curl(arguments: list[str]) -> None:
    """`answers` in turn; then 000 without web pods, 503 from a broken image, and 200 otherwise."""
    web = WORLD["cluster"][f"deployment/{os.environ['SYSTEM']}"]
    if WORLD["answers"]:
        end(out=WORLD["answers"].pop(0))
    if not web["spec"]["replicas"]:
        end(7, "000")
    end(out="503" if containers(web)[0]["image"] in WORLD["ill"] else "200")


def gh(arguments: list[str]) -> None:
    """Comments and issues by their path; of --jq only the texts that it searches."""
    import re

    path = next(each for each in arguments[1:] if each.startswith("repos/"))
    if "--method" not in arguments:
        program = option(arguments, "jq")
        start, key = re.search(r'startswith\("([^"]*)"\)', program), program.rpartition(".")[2]
        assert start is not None
        bots = '.user.type == "Bot" and ' in program
        assert "--paginate" in arguments
        values = [
            str(each[key])
            for each in WORLD["github"].get(path.partition("?")[0], [])
            if (each["user"]["type"] == "Bot" or not bots) and (each["body"] or "").startswith(start[1])
        ]
        end(out="".join(f"{each}\n" for each in values))
    fields = dict(
        arguments[index + 1].split("=", 1) for index, word in enumerate(arguments) if word == "--field"
    )
    if fields.get("body", "").startswith("@"):
        with open(fields["body"][1:]) as file:
            fields["body"] = file.read()
    WORLD["sent"].append([option(arguments, "method"), path, fields])
    end()


def make(arguments: list[str]) -> None:
    code, out = WORLD["make"].get(" ".join(arguments), [0, ""])
    end(code, out)


def git(arguments: list[str]) -> None:
    end(out=WORLD["changed"])


name = os.path.basename(sys.argv[0])
WORLD["calls"].append([name, *sys.argv[1:]])
if name == "sleep":
    end()
{"kubectl": kubectl, "aws": aws, "docker": docker, "curl": curl, "gh": gh, "make": make, "git": git}[name](
    sys.argv[1:]
)
