/** The upstream proxy of a VM. */
export {};
