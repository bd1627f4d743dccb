// Names that code from outside gives, where the package has names of its own.

/** Any further name, beside those of a union: the union's are still completed by an editor. */
export type OwnName = string & Record<never, never>;
