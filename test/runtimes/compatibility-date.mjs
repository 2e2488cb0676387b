/** The date of the workerd behaviour that is asked for. */
export const COMPATIBILITY_DATE = '2026-04-01';
