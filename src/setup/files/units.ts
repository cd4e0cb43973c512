export const UNITS = { network: "overhyped-network.service", server: "overhyped.service" } as const;

/** Bridge and firewall table, at boot and whenever something flushed the rules of the whole machine. */
export const networkUnit = (
  program: string,
): string => `# Made by \`hype setup\`, which overwrites it: changes go into a drop-in (systemctl edit ${UNITS.network}).
[Unit]
Description=OVERHYPED: bridge and firewall table of the VMs
After=network-pre.target systemd-sysctl.service nftables.service firewalld.service ufw.service docker.service
Before=${UNITS.server}
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${program} network up
ExecReload=${program} network up
ExecStop=${program} network down
UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN
UMask=0077
# What it makes lies in the network, not in files: it may have mounts of its own.
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_NET_ADMIN
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=multi-user.target
`;

/**
 * The server. What would give it a mount namespace of its own is left out on purpose (ProtectSystem, PrivateTmp, ReadWritePaths …, see
 * systemd.exec(5)): `ip netns` marks namespaces by mounts in /run/netns, which would be hidden from the host and lost at a restart.
 * Bun compiles at run time: no MemoryDenyWriteExecute.
 */
export const serverUnit = (
  program: string,
): string => `# Made by \`hype setup\`, which overwrites it: changes go into a drop-in (systemctl edit ${UNITS.server}).
[Unit]
Description=OVERHYPED: browsers in microVMs
Wants=${UNITS.network}
After=network.target ${UNITS.network}
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
# Ready only when it serves.
Type=notify
NotifyAccess=main
ExecStart=${program} serve
Restart=on-failure
RestartSec=1
# A wrong setting does not mend itself.
RestartPreventExitStatus=2
TimeoutStartSec=180
TimeoutStopSec=30
# VMs outlive the server: systemd ends the server only, and VMs live in cgroups of their own, beside those of units.
KillMode=process
SyslogIdentifier=hype
UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN
UMask=0077
LimitNOFILE=65536
TasksMax=infinity
OOMScoreAdjust=-200
# Root without most of root's powers.
NoNewPrivileges=yes
CapabilityBoundingSet=${CAPABILITIES.join(" ")}
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
ProtectHostname=yes
ProtectClock=yes
RestrictNamespaces=net mnt user pid ipc uts
SystemCallArchitectures=native
SystemCallFilter=@system-service @mount
SystemCallFilter=${["seccomp", "bpf", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"].join(" ")}
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
DevicePolicy=closed
DeviceAllow=/dev/kvm rw
DeviceAllow=/dev/net/tun rw

[Install]
WantedBy=multi-user.target
`;

/** Each with what fails without it (capabilities(7)). */
const CAPABILITIES = [
  "CAP_NET_ADMIN", // taps, links, rules
  "CAP_NET_BIND_SERVICE", // an API port below 1024, where one is set
  "CAP_SYS_ADMIN", // network namespaces and their mounts
  "CAP_SETUID", // a VMM gets a user of its own
  "CAP_SETGID",
  "CAP_SETPCAP", // and loses every capability for good
  "CAP_CHOWN", // its directory is given to it
  "CAP_DAC_OVERRIDE", // and is looked into and removed afterwards
  "CAP_KILL", // it is ended
  "CAP_SYS_PTRACE", // and told from other processes by what /proc shows
];
