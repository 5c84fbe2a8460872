"""The manifests are what Kubernetes takes, give the pods no more than they need, and fit what the server does."""

from __future__ import annotations

import re
import subprocess
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from written import DEPLOY, ROOT, read, settings_in

from sixty.config import Settings
from sixty.server.health import PATIENCE
from sixty.server.http import GRACE

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.deploy

FOLDER = DEPLOY / "kubernetes"
OVERLAYS = sorted(path.name for path in (FOLDER / "overlays").iterdir())
CUSTOM = {"PodMonitor"}
"""Kinds that others bring to a cluster: Kubernetes has no schema of them."""
SECRETS = {f"SIXTY_{name}_FILE" for name in ("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "AUDIT_KEY", "METRICS_TOKEN")}


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(request: pytest.FixtureRequest, program: Callable[[str], str]) -> list[dict[str, Any]]:
    return rendered(program("kubectl"), request.param)


@cache
def rendered(kubectl: str, overlay: str) -> list[dict[str, Any]]:
    """What an overlay comes to."""
    command = [kubectl, "kustomize", str(FOLDER / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - it renders
    assert (done.returncode, done.stderr) == (0, "")
    return list(yaml.safe_load_all(done.stdout))


def of_kind(manifests: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def pods(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What pods are made by, by the name of whatever makes them."""
    found = {item["metadata"]["name"]: item["spec"]["template"] for item in of_kind(manifests, "Deployment", "Job")}
    for item in of_kind(manifests, "CronJob"):
        found[item["metadata"]["name"]] = item["spec"]["jobTemplate"]["spec"]["template"]
    return found


def server(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    """The container that serves."""
    container: dict[str, Any] = pods(manifests)["sixty"]["spec"]["containers"][0]
    return container


def test_both_places_are_there() -> None:
    assert OVERLAYS == ["production", "staging"]


def test_each_document_is_strictly_what_kubernetes_takes(manifests: list[dict[str, Any]]) -> None:
    with warnings.catch_warnings(action="ignore"):  # of the library's, about itself
        for manifest in manifests:
            if manifest["kind"] not in CUSTOM:
                kubernetes_validate.validate(manifest, "1.33", strict=True)
    kinds = {manifest["kind"] for manifest in manifests}
    assert kinds == CUSTOM | {
        "ConfigMap", "CronJob", "Deployment", "HorizontalPodAutoscaler", "Ingress", "Job", "Namespace",
        "NetworkPolicy", "PersistentVolumeClaim", "PodDisruptionBudget", "Service", "ServiceAccount",
    }  # fmt: skip


def test_no_pod_can_do_more_than_it_needs(manifests: list[dict[str, Any]]) -> None:
    assert set(pods(manifests)) == {"sixty", "sixty-backup", "sixty-migrate"}
    for name, pod in pods(manifests).items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] == 10001, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        assert not [volume for volume in spec["volumes"] if "hostPath" in volume], name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            for bound in ("requests", "limits"):
                assert {"cpu", "memory"} <= set(container["resources"][bound]), name
            assert re.search(r":\d+\.\d+\.\d+$", container["image"]), name


def test_secrets_are_files_of_a_secret_that_is_not_here(manifests: list[dict[str, Any]]) -> None:
    assert not of_kind(manifests, "Secret")
    [config] = of_kind(manifests, "ConfigMap")
    for name, pod in pods(manifests).items():
        [container] = pod["spec"]["containers"]
        told = {variable["name"]: variable["value"] for variable in container.get("env", [])}
        told |= config["data"] if "envFrom" in container else {}
        named = {variable: path for variable, path in told.items() if variable.endswith("_FILE")}
        assert "SIXTY_DATABASE_URL_FILE" in named, name
        assert not {variable.removesuffix("_FILE") for variable in SECRETS} & set(told), name
        assert set(named) <= SECRETS, name
        assert "SIXTY_AUDIT_KEY_FILE" in named or container["args"] == ["db", "upgrade"], f"{name} would forge lines"
        [mount] = [mount for mount in container["volumeMounts"] if mount["name"] == "secrets"]
        assert all(path.rpartition("/")[0] == mount["mountPath"] for path in named.values())
        [volume] = [volume for volume in pod["spec"]["volumes"] if volume["name"] == "secrets"]
        assert volume["secret"]["secretName"] == "sixty"
        assert volume["secret"]["defaultMode"] == 0o440
        files = {item["path"] for item in volume["secret"].get("items", [])}
        assert not files or {path.rpartition("/")[2] for path in named.values()} == files, name


def test_the_page_makes_the_secret_of_every_file_that_is_named(manifests: list[dict[str, Any]]) -> None:
    [config] = of_kind(manifests, "ConfigMap")
    wanted = {value.rpartition("/")[2] for name, value in config["data"].items() if name.endswith("_FILE")}
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    assert set(re.findall(r"--from-file=([a-z-]+)", page)) == wanted


def test_every_setting_is_one_of_sixtys(manifests: list[dict[str, Any]]) -> None:
    assert {name.removesuffix("_FILE") for name in settings_in(manifests)} <= {
        f"SIXTY_{field.upper()}" for field in Settings.model_fields
    }


def test_a_replica_ends_after_the_calls_that_it_has(manifests: list[dict[str, Any]]) -> None:
    pause = int(server(manifests)["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pods(manifests)["sixty"]["spec"]["terminationGracePeriodSeconds"] > pause + GRACE


def test_a_replica_lives_by_health_and_serves_by_readiness(manifests: list[dict[str, Any]]) -> None:
    container = server(manifests)
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/health", "liveness": "/health", "readiness": "/ready"}
    assert container["readinessProbe"]["timeoutSeconds"] > PATIENCE, "it would not wait for what /ready has to say"
    assert container["args"][:3] == ["serve", "--transport", "http"]


def test_a_rollout_and_a_drained_machine_leave_replicas_that_serve(manifests: list[dict[str, Any]]) -> None:
    [deployment] = of_kind(manifests, "Deployment")
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert "replicas" not in deployment["spec"], "the autoscaler says how many"
    [scaler] = of_kind(manifests, "HorizontalPodAutoscaler")
    assert scaler["spec"]["minReplicas"] >= 2
    assert {metric["resource"]["name"] for metric in scaler["spec"]["metrics"]} == {"cpu", "memory"}
    [budget] = of_kind(manifests, "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1


def test_what_is_rolled_out_last_is_what_serves_and_nothing_else(manifests: list[dict[str, Any]]) -> None:
    last = [item for item in manifests if item["metadata"]["labels"].get("app.kubernetes.io/component") == "server"]
    assert [(item["kind"], item["metadata"]["name"]) for item in last] == [("Deployment", "sixty")]


def test_all_selectors_find_the_pods_that_serve(manifests: list[dict[str, Any]]) -> None:
    labels = pods(manifests)["sixty"]["metadata"]["labels"].items()
    for item in of_kind(manifests, "Deployment", "PodDisruptionBudget", "PodMonitor"):
        assert item["spec"]["selector"]["matchLabels"].items() <= labels
    [service] = of_kind(manifests, "Service")
    assert service["spec"]["selector"].items() <= labels
    others = [pods(manifests)[name]["metadata"]["labels"].items() for name in ("sixty-backup", "sixty-migrate")]
    assert not [label for label in others if service["spec"]["selector"].items() <= label]


def test_nobody_speaks_to_anybody_unless_a_policy_says_so(manifests: list[dict[str, Any]]) -> None:
    policies = {item["metadata"]["name"]: item["spec"] for item in of_kind(manifests, "NetworkPolicy")}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    reached = [port["port"] for rule in policies["served"]["ingress"] for port in rule["ports"]]
    assert reached == [server(manifests)["ports"][0]["containerPort"]]
    assert all(rule["from"] for rule in policies["served"]["ingress"])
    assert {port["port"] for rule in policies["databases"]["egress"] for port in rule["ports"]} == {5432, 6379}
    [outside] = policies["outside"]["egress"][0]["to"]
    assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(outside["ipBlock"]["except"])
    [parts] = policies["outside"]["podSelector"]["matchExpressions"]
    assert parts["values"] == ["server", "backup"], "neither a receiver of webhooks nor a bucket would be reached"


def test_metrics_are_not_served_to_the_outside(manifests: list[dict[str, Any]]) -> None:
    [ingress] = of_kind(manifests, "Ingress")
    paths = [path["path"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    assert "/" not in paths
    assert not [path for path in paths if path.startswith("/metrics")]
    [tls] = ingress["spec"]["tls"]
    assert tls["hosts"] == [rule["host"] for rule in ingress["spec"]["rules"]]


def test_the_public_address_is_the_one_that_is_served(manifests: list[dict[str, Any]]) -> None:
    [ingress] = of_kind(manifests, "Ingress")
    [config] = of_kind(manifests, "ConfigMap")
    assert config["data"]["SIXTY_PUBLIC_URL"] == f"https://{ingress['spec']['rules'][0]['host']}"
    assert config["metadata"]["name"] != "sixty", "a change of settings would not make new replicas"
    assert server(manifests)["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]


def test_sessions_are_routed_by_the_variable_that_the_controller_is_given(manifests: list[dict[str, Any]]) -> None:
    [ingress] = of_kind(manifests, "Ingress")
    variable = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/upstream-hash-by"]
    snippet = read(FOLDER / "cluster" / "ingress-nginx.yaml")["controller"]["config"]["http-snippet"]
    assert re.search(rf"^map .* {re.escape(variable)} {{$", snippet, re.MULTILINE)


def test_metrics_are_scraped_as_the_alerts_name_them(manifests: list[dict[str, Any]]) -> None:
    [monitor] = of_kind(manifests, "PodMonitor")
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == (server(manifests)["ports"][0]["name"], "/metrics")
    assert pods(manifests)["sixty"]["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "sixty"
