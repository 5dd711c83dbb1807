#!/bin/sh
# Builds a root of its own and starts a systemd manager in it. Runs as PID 1 of new PID, mount, cgroup, UTS and IPC namespaces.
# Nothing of the machine can be written from in here but the folder that becomes /etc/imap-broker: of the rest it sees programs and
# libraries alone, read-only, and none of the machine's units are loaded. A manager among the machine's own files would boot it: empty /tmp,
# for a start.
# Arguments: an empty folder for the root, the project, the folder for /etc/imap-broker, the folder of the units, the program node.
set -eu
root=$1 project=$2 config=$3 units=$4 node=$5

# What is mounted from here on stays in here.
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"

# Shows a folder or file of the machine at the same place, or at another one, without leave to change it.
show() {
  to=$root${2:-$1}
  if [ -d "$1" ]; then mkdir -p "$to"; else mkdir -p "$(dirname "$to")" && : > "$to"; fi
  mount --bind "$1" "$to"
  mount -o remount,bind,ro "$to"
}

for folder in /bin /sbin /lib /lib32 /lib64; do
  if [ -L "$folder" ]; then cp -P "$folder" "$root$folder"; elif [ -d "$folder" ]; then show "$folder"; fi
done
show /usr
mkdir -p etc/imap-broker etc/systemd/system dev proc run sys tmp var/lib var/log var/tmp root old
chmod 1777 tmp var/tmp
for file in passwd group nsswitch.conf ld.so.cache localtime hosts; do
  if [ -e "/etc/$file" ]; then cp -L "/etc/$file" "etc/$file"; fi
done
echo 0123456789abcdef0123456789abcdef > etc/machine-id
cp -r "$units"/* etc/systemd/system/
mount --bind "$config" etc/imap-broker
# Where neither PrivateTmp nor ProtectHome of a unit hides it.
show "$project" /opt/imap-broker
# First in the path that the manager looks for programs in, and in that of its services.
mount -t tmpfs tmpfs usr/local/sbin
ln -s "/opt/imap-broker/dist/bin/imap-broker.js" usr/local/sbin/imap-broker
case $node in /usr/*) target=$node ;; *) show "$node" /opt/node; target=/opt/node ;; esac
ln -s "$target" usr/local/sbin/node
for device in null zero full random urandom tty; do
  : > "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/shm
mount -t tmpfs tmpfs dev/shm
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mkdir -p sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mkdir run/log
mount -t cgroup2 cgroup2 sys/fs/cgroup

pivot_root . old
cd /
umount -l /old
rmdir /old
# As the manager expects of a container: credentials are mounted in a namespace beside it.
mount --make-rshared /
# Rather none than one that could do harm.
for place in /usr /opt/imap-broker; do
  if (: > "$place/imap-broker-test") 2>/dev/null; then
    echo "$place can be written from in here; no manager is started." >&2
    exit 1
  fi
done
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin container=imap-broker-test \
  SYSTEMD_UNIT_PATH=/etc/systemd/system SYSTEMD_GENERATOR_PATH=/nowhere SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/nowhere \
  /lib/systemd/systemd --system --unit=multi-user.target --log-target=console --log-level=info --show-status=no
