/** Whichever of the two makes this host a member; a name that isn't in the list of reconcilers doesn't count. */
export const memberNeeds = ['control-plane', 'join'] as const;
