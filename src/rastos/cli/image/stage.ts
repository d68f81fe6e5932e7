import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";

const STAGE_ARGS = {
  request: { type: "positional", required: true, description: "What to do, as JSON" },
  answer: { type: "positional", required: true, description: "Where to say how it went" },
} as const satisfies ArgsSpec;

/** `rastos image stage`: the part of a build that runs in a namespace; for rastos itself. */
export const stageCommand = defineCommand({
  meta: {
    name: "stage",
    description: "Install the packages of an image, inside its namespace",
    hidden: true,
  },
  args: STAGE_ARGS,
  run: async ({ args }) => {
    const { answerStage } = await import("../../image/stage-packages.ts");
    await answerStage(args.request, args.answer);
  },
});
