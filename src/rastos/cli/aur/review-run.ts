import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { formatCount } from "../../../kit/text/format.ts";
import { AurWorkshop } from "../../aur/build-packages.ts";
import type { AurReview } from "../../aur/review.ts";
import { findTarget } from "../packages/target.ts";
import type { ReviewArgs } from "./review.ts";
import { workshopOptions } from "./workshop-options.ts";

type Context = Pick<CommandContext<ReviewArgs>, "args" | "printer">;

/** Has the newest commits looked at. */
export async function run({ args, printer }: Context): Promise<number> {
  const target = findTarget(args);
  const options = workshopOptions({ ...args, update: true }, target, {
    place: target.place,
    printer,
  });
  const reviews: (AurReview & { readonly isApproved: boolean })[] = [];
  await using workshop = await AurWorkshop.open({
    ...options,
    approve: async (review) => {
      const isApproved = (await options.approve?.(review)) ?? false;
      reviews.push({ ...review, isApproved });
      return isApproved;
    },
  });
  const selection = await workshop.select(args.name);
  let refusal: Fault | undefined;
  try {
    await workshop.review(selection);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "E_CONFIRM") throw error;
    refusal = error;
  }
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.aur-reviews/1", reviews, passed: refusal === undefined });
  }
  if (refusal !== undefined) {
    printer.error(refusal);
    return refusal.exit;
  }
  const total = formatCount(selection.bases.size, "package base");
  printer.note(reviews.length === 0 ? `Nothing new in ${total}` : `Reviewed ${total}`);
  return 0;
}
