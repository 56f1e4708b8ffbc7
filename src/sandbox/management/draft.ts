// An object that is being made: plain data that may still change.
export type Draft = Record<string, unknown>;
