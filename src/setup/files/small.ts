/** Kernel settings that must hold after a boot (sysctl.d(5)). */
export const FORWARDING = { key: "net.ipv4.ip_forward", value: "1" } as const;

export const sysctlText = (): string => `# Made by \`hype setup\`: guests reach the internet through this host.
${FORWARDING.key} = ${FORWARDING.value}
`;

/** /run is empty after a boot (tmpfiles.d(5)). Users of VMMs pass through, nobody lists. */
export const tmpfilesText = (runtimeDir: string): string => `# Made by \`hype setup\`.
d ${runtimeDir} 0711 root root -
`;

/**
 * The server logs to the journal and bounds its VMs' logs itself, to the same names; this catches what VMs write while no server runs.
 * copytruncate: a VMM keeps its file open and appends.
 */
export const logrotateText = (logDir: string): string => `# Made by \`hype setup\`.
${logDir}/*/*.log {
    su root root
    size 16M
    rotate 1
    nodateext
    copytruncate
    missingok
    notifempty
}
`;
