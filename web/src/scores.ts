/** From logits to scores, stable and finite. */

export function softmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - top));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export function sigmoid(logit: number): number {
  const decay = Math.exp(-Math.abs(logit));
  return (logit >= 0 ? 1 : decay) / (1 + decay);
}

/** log(sum(exp(logits))), shifted by the greatest so that nothing overflows. */
export function logSum(logits: readonly number[]): number {
  const top = Math.max(...logits);
  return top + Math.log(logits.reduce((total, logit) => total + Math.exp(logit - top), 0));
}

/** Refuse NaN and infinity, which would order labels at random. */
export function checkFinite(logits: Iterable<number>): void {
  for (const logit of logits) if (!Number.isFinite(logit)) throw new Error("the model gave a number that is not finite");
}
