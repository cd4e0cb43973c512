#!/bin/sh
# Makes the guest's files out of a Debian system in which the packages of packages.txt are installed. Runs inside that system,
# in a mmdebstrap chroot as in a container: the guest is put together anew from the files of the packages it needs, so whatever
# else the surrounding system brought along cannot make a difference.
#   customize.sh RECIPE OUT     RECIPE holds packages.txt and inittab; OUT gets
#     root/       the guest's root tree
#     boot/       vmlinuz, version, and the kernel's modules
#     packages    one line per package in the guest: name, version
#     created     build date of the newest of kernel and Chromium, seconds since 1970
# SOURCE_DATE_EPOCH is the date that every file gets.
set -eu
export LC_ALL=C
recipe=$1
out=$2
root=$out/root
umask 022
rm -rf "$out"
mkdir -p "$root" "$out/boot"
work=$(mktemp -d)

of_use() { sed 's/#.*//' "$recipe/packages.txt" | awk -v use="$1" '$2 == use { print $1 }'; }

# Since the merge of / and /usr, packages name the same file by either path: /usr is the one that counts.
merged() { sed -E 's#^/(bin|sbin|lib|lib64)(/|$)#/usr/\1\2#'; }

# --- which packages -------------------------------------------------------------------------------------------------------
# owners: every path of every installed package, with the package's name.
for list in /var/lib/dpkg/info/*.list; do
  name=${list##*/}
  name=${name%.list}
  merged <"$list" | sed "s#\$# ${name%:*}#"
done >"$work/owners"

files_of() { awk 'NR == FNR { keep[$1]; next } $NF in keep { sub(/ [^ ]*$/, ""); print }' "$1" "$work/owners"; }

of_use guest | sort -u >"$work/keep"
files_of "$work/keep" | grep -E '^/usr/(bin/setpriv|lib/.*\.so[.0-9]*|lib/chromium/[^.]*)$' | while read -r file; do
  [ -f "$file" ] && ldd "$file" 2>/dev/null || true
done | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | merged | sort -u >"$work/linked"
awk 'NR == FNR { linked[$1]; next } $1 in linked { print $2 }' "$work/linked" "$work/owners" | sort -u - "$work/keep" >"$work/all"
mv "$work/all" "$work/keep"

# --- their files ----------------------------------------------------------------------------------------------------------
unwanted='^/usr/share/(doc|doc-base|man|info|locale|lintian|bug|menu|gcc|gdb|bash-completion|perl5|pixmaps|applications|initramfs-tools|base-files|ca-certificates|mime|xml|alsa|X11)(/|$)
^/usr/(include|games|local|src|lib/systemd|lib/pkgconfig|lib/init|lib/udev|lib/mime)(/|$)
^/usr/lib/chromium/(libVkLayer_|libVkICD_|.*\.TOC$|resources\.pak|chrome_|locales|snapshot_blob)
^/usr/share/fonts/opentype/noto/NotoSerifCJK
^/usr/share/zoneinfo/(right|posix)(/|$)
^/etc/(init\.d|rc.\.d|cron|default|logrotate|systemd|pam|security|sensors|update-motd|kernel|bash_completion|apt|dpkg|skel|profile|X11|pulse|ca-certificates|ldap|perl|issue|motd|chromium\.d|alternatives)
^/var/
^/(boot|home|media|mnt|opt|srv|root|run|proc|sys|dev|tmp)(/|$)'
printf '%s\n' "$unwanted" >"$work/unwanted"
# Of util-linux the guest needs one program, and no file may carry more rights than its user: no set-uid program comes along.
grep -vx util-linux "$work/keep" >"$work/whole"
{
  files_of "$work/whole"
  echo /usr/bin/setpriv
} | grep -vE -f "$work/unwanted" | sort -u | while read -r file; do
  if [ -L "$file" ] || [ -f "$file" ]; then echo ".$file"; fi
done >"$work/files"

for dir in bin sbin lib lib64; do
  mkdir -p "$root/usr/$dir"
  ln -s "usr/$dir" "$root/$dir"
done
tar -C / --no-recursion -T "$work/files" -cf - | tar -C "$root" -xpf -
find "$root" -type f -perm /6000 -exec chmod a-s {} +

# --- what packages make when they are installed ---------------------------------------------------------------------------
mkdir -p "$root/etc/ssl/certs" "$root/var/cache" "$root/var/lib" "$root/var/log" "$root/home/browser" "$root/usr/lib/hype"
for dir in proc sys dev run mnt; do mkdir -p "$root/$dir"; done
mkdir -m 1777 "$root/tmp" "$root/var/tmp"
mkdir -m 0700 "$root/root"
ln -s /run "$root/var/run"
find /usr/share/ca-certificates -name '*.crt' | sort | while read -r certificate; do
  cat "$certificate"
  echo
done >"$root/etc/ssl/certs/ca-certificates.crt"
ln -sf /usr/share/zoneinfo/UTC "$root/etc/localtime"
echo UTC >"$root/etc/timezone"

cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
browser:x:1000:1000:Chromium:/home/browser:/bin/false
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
END
cat >"$root/etc/group" <<'END'
root:x:0:
tty:x:5:
browser:x:1000:
nogroup:x:65534:
END
printf '%s\n' 'root:*:::::::' 'browser:*:::::::' 'nobody:*:::::::' >"$root/etc/shadow"
chmod 0600 "$root/etc/shadow"
chown 1000:1000 "$root/home/browser"
chmod 0700 "$root/home/browser"
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n' >"$root/etc/nsswitch.conf"
echo localhost >"$root/etc/hostname"
# init writes the machine's own at every boot
printf '127.0.0.1\tlocalhost\n' >"$root/etc/hosts"
: >"$root/etc/resolv.conf"
: >"$root/etc/machine-id"
cp "$recipe/inittab" "$root/etc/inittab"
mkdir -p "$root/etc/acpi/PWRF"
printf '#!/bin/sh\nexec /sbin/poweroff -f\n' >"$root/etc/acpi/PWRF/00000080"
chmod 0755 "$root/etc/acpi/PWRF/00000080"
chroot "$root" /bin/busybox --install -s
cp -P /etc/ld.so.conf "$root/etc/"
cp -RP /etc/ld.so.conf.d "$root/etc/"
ldconfig -X -r "$root"
rm -rf "$root/var/cache/ldconfig"

# Fontconfig believes its cache while the font directories have the date noted in it: dates first.
find "$root/usr/share/fonts" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
fc-cache --sysroot="$root" --force --system-only

# --- check ----------------------------------------------------------------------------------------------------------------
missing=$(chroot "$root" /lib64/ld-linux-x86-64.so.2 --list /usr/lib/chromium/chromium-headless-shell | grep 'not found' || true)
if [ -n "$missing" ]; then
  echo "customize.sh: Chromium lacks libraries: $missing" >&2
  exit 1
fi

# --- kernel ---------------------------------------------------------------------------------------------------------------
kernel=$(apt-cache depends "$(of_use kernel)" | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
(cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$kernel" && dpkg-deb -x linux-image-*.deb kernel)
mv "$work"/kernel/boot/vmlinuz-* "$out/boot/vmlinuz"
ls "$work/kernel/lib/modules" >"$out/boot/version"
mv "$work"/kernel/lib/modules/* "$out/boot/modules"
{
  # one version per package, whatever architecture it is of
  xargs dpkg-query -Wf '${Package} ${Version}\n' <"$work/keep"
  dpkg-deb -f "$work"/linux-image-*.deb Package Version | awk '{ print $2 }' | paste -sd ' '
} | sort -u >"$out/packages"

stat -c %Y "$out/boot/vmlinuz" "$root/usr/lib/chromium/chromium-headless-shell" | sort -n | tail -n 1 >"$out/created"
rm -rf "$work"
find "$out" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
