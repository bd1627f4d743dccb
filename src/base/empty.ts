// Emptying an array that will soon be filled again.

/** Takes all out. Setting the length gives the memory back, too, and asks for it anew at a push. */
export function empty(array: unknown[]): void {
  while (array.length > 0) array.pop();
}
