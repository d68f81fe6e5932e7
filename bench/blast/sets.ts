/** Requirement sets that are resolved and installed; peers-blast.md of the plan measures them. */
export interface RequirementSet {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly string[];
  /** Also installed, not only resolved. */
  readonly installs: boolean;
}

export const SETS: readonly RequirementSet[] = [
  { id: "flask", title: "flask", lines: ["flask"], installs: true },
  { id: "jupyter", title: "jupyter", lines: ["jupyter"], installs: true },
  { id: "airflow", title: "apache-airflow", lines: ["apache-airflow"], installs: true },
  {
    id: "starlette",
    title: "starlette<=0.36.0, fastapi<=0.115.2 (backtracks)",
    lines: ["starlette<=0.36.0", "fastapi<=0.115.2"],
    installs: false,
  },
  {
    id: "rapidjson",
    title: "python-rapidjson<=1.20, sentry-kafka-schemas<=0.1.113 (backtracks)",
    lines: ["python-rapidjson<=1.20,>=1.8", "sentry-kafka-schemas<=0.1.113,>=0.1.50"],
    installs: false,
  },
  {
    id: "boto3",
    title: "boto3, urllib3<1.25.4 (backtracks far)",
    lines: ["boto3", "urllib3<1.25.4"],
    installs: false,
  },
];
