#!/usr/bin/env bash
# Exchanges payloads and stills with an emulated 64-bit ARM machine, both ways: what one writes the other must read.
# There the libraries of the lock are installed by pip; then the Debian package, whose demo and doctor have to run.
# Makes the machine's files under $1 (default: out/arm64) the first time, which takes about ten minutes.
set -euo pipefail
here=$(realpath "$0")
cd "$(dirname "$here")/../../.."
base=$(realpath -m "${1:-out/arm64}")
root=$base/pantel-arm64-root
python=${PYTHON:-.venv/bin/python}
packages=python3,python3-venv,systemd-standalone-sysusers

need() { echo "test-arm64 needs $1; run: $2"; exit 1; }
[ "$(id -u)" = 0 ] || need "root, for chroot" "sudo make test-arm64"
command -v debootstrap >/dev/null || need debootstrap "apt-get install debootstrap"
command -v qemu-aarch64-static >/dev/null || need qemu-user-static "apt-get install qemu-user-static binfmt-support"
command -v update-binfmts >/dev/null || need binfmt-support "apt-get install binfmt-support"
# What is mounted below is seen by this script alone and goes with it, however it ends. That this machine's kernel runs
# programs for ARM by qemu stays, until it is restarted.
if [ -z "${ARM64_UNSHARED:-}" ]; then
    ! grep -q " $root/" /proc/self/mountinfo || { echo "something is mounted below $root; unmount it first"; exit 1; }
    ARM64_UNSHARED=1 exec unshare --mount --propagation private "$here" "$base"
fi
if [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
    mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null || true
    update-binfmts --enable qemu-aarch64 || need "binfmt_misc in the kernel" "modprobe binfmt_misc"
fi

mkdir -p "$base"
"$python" -m pantel_deb --arch arm64 --python 3.11 --print-lock >"$base/runtime.lock.new"
if ! cmp -s "$base/runtime.lock.new" "$base/runtime.lock"; then
    if [ -e "$root" ]; then
        [ -e "$root/.pantel" ] || { echo "$root was not made by this script; remove it or name another folder"; exit 1; }
        rm -rf --one-file-system "$root"
    fi
    mkdir -p "$root"
    touch "$root/.pantel"
    debootstrap --arch=arm64 --variant=minbase --include="$packages" bookworm "$root" >"$base/debootstrap.log" ||
        { tail -n 5 "$base/debootstrap.log"; exit 1; }
    # The wheels come in by this machine's pip, whose way to the package index is known to work.
    cp "$base/runtime.lock.new" "$root/runtime.lock"
    "$python" -m pip download --quiet --dest "$root/wheels" --no-deps --require-hashes --only-binary=:all: \
        --python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none \
        --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_17_aarch64 \
        --platform manylinux2014_aarch64 --platform any --requirement "$root/runtime.lock"
    chroot "$root" python3 -m venv /venv
    chroot "$root" /venv/bin/pip install --quiet --no-index --find-links /wheels --require-hashes --only-binary=:all: \
        --requirement /runtime.lock
    rm -r "$root/wheels"
    # onnxruntime reads what processor it runs on, and crashes where that looks like nothing it knows: a Raspberry Pi 4.
    mkdir -p "$base/cpu"
    for n in 0 1 2 3; do
        mkdir -p "$base/cpu/cpu$n/topology"
        echo "$n" >"$base/cpu/cpu$n/topology/core_id"
        echo 0 >"$base/cpu/cpu$n/topology/physical_package_id"
        printf 'processor\t: %s\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n' "$n"
    done >"$base/cpuinfo"
    for list in possible present online; do echo 0-3 >"$base/cpu/$list"; done
    mv "$base/runtime.lock.new" "$base/runtime.lock"
fi

mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mount --bind "$base/cpuinfo" "$root/proc/cpuinfo"
mount -t tmpfs tmpfs "$root/sys"
mkdir -p "$root/sys/devices/system/cpu"
mount --bind "$base/cpu" "$root/sys/devices/system/cpu"

exchange=tests/system/arm64/exchange.py
there() { chroot "$root" /usr/bin/env QEMU_CPU="$cpu" OMP_NUM_THREADS=1 PYTHONPATH=/exchange/codec:/exchange/models \
    /venv/bin/python /exchange/exchange.py "$@"; }

for cpu in cortex-a72 cortex-a76; do
    echo "== $cpu"
    rm -rf "$root/exchange" && mkdir -p "$root/exchange"
    cp -r codec models "$exchange" "$root/exchange"
    "$python" "$exchange" write "$root/exchange/here" --payloads "${PAYLOADS:-1000}"
    there read /exchange/here
    there write /exchange/there --payloads "${PAYLOADS:-1000}"
    "$python" "$exchange" read "$root/exchange/there"
done

echo "== the package"
DPKG_DEB_COMPRESSOR_TYPE=gzip DPKG_DEB_COMPRESSOR_LEVEL=1 make deb DEB_ARCH=arm64 DEB_PYTHON=3.11 DIST="$base/dist"
cp "$base"/dist/pantel_*_arm64.deb "$root/pantel.deb"
installed() { chroot "$root" /usr/bin/env QEMU_CPU=cortex-a72 OMP_NUM_THREADS=1 "$@"; }
installed dpkg --purge pantel 2>/dev/null
installed dpkg --install /pantel.deb
installed pantel --version
# There is neither camera nor port: of those the doctor complains, and of nothing else.
installed pantel doctor --json >"$base/doctor.json" || true
"$python" - "$base/doctor.json" <<'PY'
import json, sys
found = {each["check"]: each for each in json.load(open(sys.argv[1]))["findings"] if each["subject"] == "machine"}
for check in ("python", "pantel", "libraries", "range coder", "models"):
    print(f"{check}: {found[check]['status']}, {found[check]['found']}")
    assert found[check]["status"] in ("ok", "note"), found[check]
assert "aarch64" in found["python"]["found"]
PY
installed pantel demo --seconds 5 --out /srv/demo
[ -s "$root/srv/demo/demo.mp4" ]
# Whoever ran this with sudo can remove what is left.
[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$base"
