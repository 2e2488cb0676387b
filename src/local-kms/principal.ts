/**
 * Who calls: the account itself, or an IAM user or role of it.
 *
 *   arn:<partition>:iam::<account>:root | user/<name> | role/<name>
 *
 * Keys of all partitions share one account here, so principals are compared without their partition.
 * Source: AWS IAM User Guide, "IAM identifiers" and "AWS JSON policy elements: Principal".
 */
const PRINCIPAL = /^arn:[a-z-]+:(?:iam|sts)::\d{12}:(?:root|[a-z-]+\/[\w+=,.@/-]{1,200})$/;
const ACCOUNT = /^\d{12}$/;

/** Whether it is the ARN of an account, user, role, federated user or assumed role. */
export function isPrincipalArn(text: string): boolean {
  return PRINCIPAL.test(text);
}

/** Whether it can stand in a policy: such an ARN, or the 12 digits of an account. */
export function isPrincipal(text: string): boolean {
  return ACCOUNT.test(text) || isPrincipalArn(text);
}

/** The ARN of the account as a principal. */
export function accountArn(partition: string, accountId: string): string {
  return principalArn(partition, accountId, 'root');
}

/** `name`: `root`, `user/…` or `role/…`. */
export function principalArn(partition: string, accountId: string, name: string): string {
  return `arn:${partition}:iam::${accountId}:${name}`;
}

/** Whether two principals are one; an account may be given by its 12 digits. */
export function samePrincipal(one: string, other: string): boolean {
  return unpartitioned(one) === unpartitioned(other);
}

/** The 12 digits of the account that the principal of an ARN belongs to. */
export function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}

function unpartitioned(principal: string): string {
  if (ACCOUNT.test(principal)) return unpartitioned(accountArn('aws', principal));
  return principal.replace(/^arn:[a-z-]+:/, '');
}
