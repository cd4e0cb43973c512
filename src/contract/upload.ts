/** Files streamed into the guest, for file inputs. */
export {};
