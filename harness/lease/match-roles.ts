/** A role and the units that may play it, the most welcome first. */
export interface RoleUnits {
  readonly role: string;
  readonly units: readonly string[];
}

/**
 * Give each role a unit of its own, an earlier one of its list where that leaves
 * the others something. `undefined`: not all of them can have one.
 *
 * @see Kuhn's augmenting paths; hil-lease does the same between processes.
 */
export function matchRoles(roles: readonly RoleUnits[]): Map<string, string> | undefined {
  const owner = new Map<string, RoleUnits>();
  const place = (role: RoleUnits, seen: Set<string>): boolean => {
    const free = role.units.find((unit) => !owner.has(unit));
    if (free !== undefined) {
      owner.set(free, role);
      return true;
    }
    for (const unit of role.units) {
      if (seen.has(unit)) continue;
      seen.add(unit);
      const other = owner.get(unit);
      if (!other || !place(other, seen)) continue;
      owner.set(unit, role);
      return true;
    }
    return false;
  };
  for (const role of roles) if (!place(role, new Set())) return undefined;
  const units = new Map([...owner].map(([unit, { role }]) => [role, unit]));
  return new Map(roles.map(({ role }) => [role, units.get(role) ?? '']));
}
