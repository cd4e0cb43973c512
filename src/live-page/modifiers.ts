type Held = { altKey: boolean; ctrlKey: boolean; metaKey: boolean; shiftKey: boolean };

export const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);

/** As the wire has them: 1 Alt, 2 Ctrl, 4 Meta, 8 Shift. The browser in the VM is one of Linux: Command is its Ctrl. */
export const modifiersOf = ({ altKey, ctrlKey, metaKey, shiftKey }: Held): number =>
  (altKey ? 1 : 0) | (ctrlKey || (IS_MAC && metaKey) ? 2 : 0) | (metaKey && !IS_MAC ? 4 : 0) | (shiftKey ? 8 : 0);
