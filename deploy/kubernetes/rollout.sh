#!/bin/sh
# IMAGE serves in the OVERLAY; or, if it does not prove to, what served before does again, and the exit status is 1.
#
#   SITE_URL=https://… SIXTY_TOKEN=sk60_… rollout.sh OVERLAY IMAGE@DIGEST [VERSION]
#
# IMAGE takes the place of the one image that the overlay names. kubectl must be there, and be let into the namespace.
# It may take PATIENCE seconds (60) until clients reach what is new. The database is migrated first and never back: a
# migration only adds, so that the version of before runs on what the new one has made.
set -eu

[ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
overlay=$1 image=$2 version=${3-}
here=$(cd "$(dirname "$0")" && pwd)
namespace=sixty-$overlay
server=app.kubernetes.io/component=server
work=$(mktemp -d "$here/.rollout.XXXXXX") # a kustomization reaches others by relative paths alone
trap 'rm -rf "$work"' EXIT

case $image in
*@sha256:*) pinned="newName: ${image%@*}
    digest: ${image#*@}" ;;
*) echo "$image has no digest: a tag may be moved, and what is rolled back must be what it was" >&2 && exit 2 ;;
esac

kubectl kustomize "$here/overlays/$overlay" >"$work/overlay.yaml"
name=$(sed -n 's/^ *\(- \)\{0,1\}image: //p' "$work/overlay.yaml" | sed 's/@.*//; s/:[^:/]*$//' | sort -u)
[ "$(echo "$name" | wc -l)" = 1 ] || { echo "$overlay names more than one image: $name" >&2 && exit 2; }

cat >"$work/kustomization.yaml" <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../overlays/$overlay]
images:
  - name: $name
    $pinned
END
kubectl kustomize "$work" >"$work/all.yaml"

migrate() {
    kubectl --namespace "$namespace" delete job sixty-migrate --ignore-not-found
    kubectl apply --filename "$work/all.yaml" --selector "$(echo $server | sed 's/=/!=/')"
    while :; do
        case $(kubectl --namespace "$namespace" get job sixty-migrate --output \
            'jsonpath={.status.conditions[?(@.status=="True")].type}') in
        *Complete*) return 0 ;;
        *Failed*)
            kubectl --namespace "$namespace" logs job/sixty-migrate --tail 50 >&2
            return 1
            ;;
        esac
        sleep 2
    done
}

roll_out() {
    kubectl apply --filename "$work/all.yaml" --selector "$server" &&
        kubectl --namespace "$namespace" rollout status deployment/sixty --timeout 10m &&
        python3 "$here/../verify.py" "$SITE_URL" --patience "${PATIENCE:-60}" ${version:+--expect "$version"}
}

if ! migrate; then
    echo "The migration failed, and the replicas are as they were." >&2
    exit 1
fi
if ! roll_out; then
    echo "$image does not serve: going back to what did." >&2
    kubectl --namespace "$namespace" rollout undo deployment/sixty
    kubectl --namespace "$namespace" rollout status deployment/sixty --timeout 10m
    exit 1
fi
