#!/bin/busybox sh
# First program of the guest: loads modules, brings up the network, mounts the root and hands over to BusyBox init.
# Every command here is a BusyBox applet; nothing else is in the initramfs. Parameters on the kernel's command line:
#   ip=ADDRESS::GATEWAY:NETMASK:HOSTNAME:INTERFACE:off:DNS   the kernel's own form (admin-guide/nfs/nfsroot.rst); the
#                     distribution's kernel is built without IP_PNP, so it is read here
#   hype.root=SERIAL  the disk that holds the root, by its serial number; without it /rootfs.erofs of the initramfs (bundle)
#   hype.debug        say each step on the console

console() { echo "hype-init: $*" >/dev/console; }
# A guest that cannot come up ends its machine: nobody is here to mend it, and the console says why.
fail() {
  console "$*"
  poweroff -f
  while :; do sleep 60; done # the kernel needs a moment
}
step() { [ -z "$debug" ] || console "$(cut -d ' ' -f 1 /proc/uptime) s: $*"; }

# BusyBox finds its own applets through /proc/self/exe: until that is there, it must be named.
/bin/busybox mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev

ip= root_serial= debug=
for word in $(cat /proc/cmdline); do
  case $word in
    ip=*) ip=${word#ip=} ;;
    hype.root=*) root_serial=${word#hype.root=} ;;
    hype.debug) debug=yes ;;
  esac
done

step "modules"
modprobe -a $(cat /etc/modules) || fail "cannot load the kernel modules"
# The rest only where the machine has a device for it; a device without a module of ours is no error.
modprobe -a -q $(cat /sys/bus/virtio/devices/*/modalias 2>/dev/null) 2>/dev/null

step "network"
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
ifconfig lo up
hostname=localhost dns=
if [ -n "$ip" ]; then
  IFS=: read -r address _ gateway netmask hostname interface _ dns _ <<END
$ip
END
  ifconfig "$interface" "$address" netmask "$netmask" up || fail "cannot set up the network (ip=$ip)"
  [ -z "$gateway" ] || route add default gw "$gateway" || fail "cannot set the route (ip=$ip)"
  # A guest that never sent a frame cannot be reached: passt learns its address from the first one (measured, passt 2023-03).
  [ -z "$gateway" ] || arping -q -c 1 -I "$interface" "$gateway" >/dev/null 2>&1 &
fi
echo "${hostname:=localhost}" >/proc/sys/kernel/hostname

step "root"
mkdir -p /lower /upper /root
if [ -n "$root_serial" ]; then
  source= tries=0
  while [ -z "$source" ]; do
    for disk in /sys/block/vd* /sys/block/pmem*; do
      serial=${disk##*/} # persistent memory has none: its device name counts
      [ ! -f "$disk/serial" ] || read -r serial <"$disk/serial" || :
      [ "$serial" != "$root_serial" ] || source=/dev/${disk##*/}
    done
    # a disk may come a moment after its driver
    [ -n "$source" ] || [ "$((tries += 1))" -le 250 ] || fail "no disk has the serial number $root_serial"
    [ -n "$source" ] || usleep 20000
  done
else
  [ -f /rootfs.erofs ] || fail "neither hype.root= nor /rootfs.erofs: there is no root"
  source=/rootfs.erofs
fi
mount -t erofs -o ro,nodev "$source" /lower || fail "cannot mount the root from $source"
mount -t tmpfs -o mode=0755,size=50%,nodev tmpfs /upper
mkdir /upper/data /upper/work
mount -t overlay -o nodev,lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work overlay /root ||
  fail "cannot mount the overlay"
mount -t squashfs -o ro,nodev,nosuid /agent.squashfs /root/usr/lib/hype || fail "cannot mount the agent"

echo "$hostname" >/root/etc/hostname
printf '127.0.0.1\tlocalhost\n%s\t%s\n' "${address:-127.0.1.1}" "$hostname" >/root/etc/hosts
[ -z "$dns" ] || echo "nameserver $dns" >/root/etc/resolv.conf

mount -t tmpfs -o mode=0755,size=10%,nosuid,nodev tmpfs /root/run
mount -t tmpfs -o mode=1777,size=50%,nosuid,nodev tmpfs /root/tmp
mkdir /dev/pts /dev/shm
mount -t devpts -o mode=0620,gid=5,ptmxmode=0666,nosuid,noexec devpts /dev/pts
mount -t tmpfs -o mode=1777,size=50%,nosuid,nodev tmpfs /dev/shm
step "hand over"
for dir in sys dev proc; do mount -o move "/$dir" "/root/$dir"; done
exec /bin/busybox switch_root /root /sbin/init
