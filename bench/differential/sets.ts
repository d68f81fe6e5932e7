/** A set of requirements that is resolved by both tools. */
export interface DifferentialSet {
  readonly id: string;
  /** Lines of a requirements file. */
  readonly lines: readonly string[];
  readonly constraints?: readonly string[];
  readonly overrides?: readonly string[];
  readonly resolution?: "lowest" | "lowest-direct";
  /** Pre-releases too. */
  readonly pre?: boolean;
  /** For this Python; in a universal run, for this one and all later ones. */
  readonly pythonVersion?: string;
  readonly platform?: "windows" | "macos";
  readonly universal?: boolean;
  /** Whether nothing fits; undefined: nobody knows, and both have to say the same. */
  readonly unsatisfiable?: boolean;
  /** Modules that must be importable after an install; without them nothing is installed. */
  readonly imports?: readonly string[];
  /** Why the pins differ: what docs/blast-differential.md says in full. */
  readonly explained?: string;
}

/** What people install: for this Python and platform, and installed as well. */
const INSTALLED: readonly DifferentialSet[] = [
  { id: "flask", lines: ["flask"], imports: ["flask"] },
  {
    id: "django",
    lines: ["django", "djangorestframework", "django-filter", "django-debug-toolbar", "gunicorn"],
    imports: ["django", "rest_framework", "django_filters", "gunicorn"],
  },
  { id: "fastapi", lines: ["fastapi[standard]"], imports: ["fastapi", "uvicorn", "fastapi_cli"] },
  {
    id: "requests",
    lines: ["requests[socks]", "httpx[http2,cli]"],
    imports: ["requests", "httpx"],
  },
  {
    id: "sqlalchemy",
    lines: ["sqlalchemy[asyncio]", "alembic", "psycopg2-binary", "asyncpg", "sqlmodel"],
    imports: ["sqlalchemy", "alembic", "psycopg2", "asyncpg", "sqlmodel"],
  },
  {
    id: "pytest",
    lines: ["pytest", "pytest-cov", "pytest-xdist", "pytest-asyncio", "pytest-mock", "hypothesis"],
    imports: ["pytest", "pytest_cov", "xdist", "pytest_asyncio", "pytest_mock", "hypothesis"],
  },
  {
    id: "linters",
    lines: ["black[d]", "ruff", "mypy", "pre-commit", "isort", "flake8"],
    imports: ["black", "ruff", "mypy", "pre_commit", "isort", "flake8"],
  },
  {
    id: "sphinx",
    lines: ["sphinx", "sphinx-rtd-theme", "myst-parser", "sphinx-autodoc-typehints"],
    imports: ["sphinx", "sphinx_rtd_theme", "myst_parser", "sphinx_autodoc_typehints"],
  },
  { id: "jupyter", lines: ["jupyter"], imports: ["jupyter", "notebook", "ipykernel"] },
  {
    id: "jupyterlab",
    lines: ["jupyterlab", "ipywidgets", "jupyterlab-git"],
    imports: ["jupyterlab", "ipywidgets", "jupyterlab_git"],
  },
  {
    id: "pandas",
    lines: ["pandas", "numpy", "scipy", "matplotlib"],
    imports: ["pandas", "numpy", "scipy", "matplotlib"],
  },
  {
    id: "sklearn",
    lines: ["scikit-learn", "seaborn", "statsmodels"],
    imports: ["sklearn", "seaborn", "statsmodels"],
  },
  { id: "streamlit", lines: ["streamlit"], imports: ["streamlit"] },
  {
    id: "dash",
    lines: ["dash[diskcache]", "dash-bootstrap-components"],
    imports: ["dash", "dash_bootstrap_components"],
  },
  { id: "celery", lines: ["celery[redis]", "flower"], imports: ["celery", "flower", "redis"] },
  { id: "poetry", lines: ["poetry"], imports: ["poetry.core", "poetry.console.application"] },
  { id: "tox", lines: ["tox", "nox", "virtualenv"], imports: ["tox", "nox", "virtualenv"] },
  { id: "ansible", lines: ["ansible-core", "ansible-lint"], imports: ["ansible", "ansiblelint"] },
  { id: "awscli", lines: ["awscli<2"], imports: ["awscli.clidriver"] },
  { id: "airflow", lines: ["apache-airflow"], imports: ["airflow"] },
  { id: "dagster", lines: ["dagster", "dagster-webserver"], imports: ["dagster"] },
  { id: "dvc", lines: ["dvc[s3]"], imports: ["dvc", "dvc_s3"] },
  { id: "mlflow", lines: ["mlflow"], imports: ["mlflow"] },
  {
    id: "transformers",
    lines: ["transformers", "tokenizers", "sentencepiece", "datasets"],
    imports: ["transformers", "tokenizers", "datasets"],
  },
  {
    id: "langchain",
    lines: ["langchain", "langchain-openai", "langchain-community", "langgraph"],
    imports: ["langchain", "langchain_openai", "langgraph.graph"],
  },
  {
    id: "opentelemetry",
    lines: [
      "opentelemetry-distro[otlp]",
      "opentelemetry-instrumentation-flask",
      "opentelemetry-instrumentation-requests",
      "opentelemetry-instrumentation-sqlalchemy",
      "opentelemetry-exporter-prometheus",
      "flask",
    ],
    imports: ["opentelemetry.distro", "opentelemetry.instrumentation.flask"],
  },
  {
    id: "google-cloud",
    lines: [
      "google-cloud-bigquery",
      "google-cloud-storage",
      "google-cloud-pubsub",
      "grpcio-status<1.60",
    ],
    imports: ["google.cloud.bigquery", "google.cloud.storage", "google.cloud.pubsub"],
  },
  {
    id: "scrapy",
    lines: ["scrapy", "beautifulsoup4", "lxml", "selenium"],
    imports: ["scrapy", "bs4", "lxml", "selenium"],
  },
  { id: "spacy", lines: ["spacy", "typer<0.10"], imports: ["spacy"] },
  { id: "prefect", lines: ["prefect"], imports: ["prefect"] },
  { id: "gradio", lines: ["gradio"], imports: ["gradio"] },
  {
    id: "snowflake",
    lines: ["snowflake-connector-python[pandas]", "snowflake-sqlalchemy"],
    imports: ["snowflake.connector", "snowflake.sqlalchemy"],
  },
  { id: "starlette", lines: ["starlette<=0.36.0", "fastapi<=0.115.2"], imports: ["fastapi"] },
  {
    id: "s3fs",
    lines: ["s3fs", "aiobotocore[boto3]", "boto3", "fsspec"],
    imports: ["s3fs", "aiobotocore", "boto3"],
  },
  {
    id: "pydantic-v1",
    lines: ["pydantic<2", "fastapi", "langchain<0.1", "openapi-schema-pydantic"],
    imports: ["pydantic", "fastapi", "langchain"],
  },
  {
    id: "python-2-era",
    lines: [
      "django==1.11.29",
      "requests==2.9.1",
      "flask==0.12.5",
      "jinja2==2.10",
      "werkzeug==0.14.1",
      "six==1.10.0",
      "mock==1.0.1",
      "python-dateutil==2.4.2",
      "click==6.7",
      "boto==2.49.0",
      "redis==2.10.6",
    ],
    imports: ["six", "click", "dateutil", "markupsafe"],
  },
  {
    id: "constraints",
    lines: ["flask[async]", "celery", "requests", "jinja2"],
    constraints: ["werkzeug<3", "markupsafe<2.1.3", "urllib3<2", "kombu!=5.5.*", "numpy<2"],
    imports: ["flask", "celery", "requests"],
  },
  {
    id: "overrides",
    lines: ["streamlit", "altair"],
    overrides: ["narwhals<1.30", "packaging>=24 ; sys_platform == 'linux'"],
    imports: ["packaging", "narwhals"],
  },
  {
    id: "lowest-direct",
    lines: ["fastapi>=0.100", "httpx>=0.24", "sqlalchemy>=2.0.20", "uvicorn[standard]>=0.23"],
    resolution: "lowest-direct",
    imports: ["fastapi", "httpx", "sqlalchemy", "uvicorn"],
  },
  {
    id: "pre",
    lines: ["flask", "black", "pydantic", "sqlalchemy", "rich"],
    pre: true,
    imports: ["flask", "black", "pydantic", "sqlalchemy", "rich"],
  },
  {
    id: "pre-all",
    lines: ["jupyterlab", "pandas", "celery"],
    pre: true,
    imports: ["jupyterlab", "pandas", "celery"],
  },
  {
    id: "lowest",
    lines: ["flask>=2.2", "requests>=2.28", "urllib3>=2", "rich>=12", "pandas>=2.1.1"],
    resolution: "lowest",
    imports: ["flask", "requests", "rich"],
  },
  {
    id: "lowest-direct-data",
    lines: ["jupyterlab>=4", "pandas>=2.1.1", "scikit-learn>=1.3.2"],
    resolution: "lowest-direct",
    imports: ["jupyterlab", "pandas", "sklearn"],
  },
  {
    id: "airflow-old",
    lines: ["apache-airflow[celery,postgres]<2.8", "sqlalchemy<2"],
    // airflow itself does not know pendulum 3, which its metadata allows.
    imports: ["sqlalchemy", "celery"],
    explained:
      "apache-airflow 2.7.3 is for Pythons below 3.12, which uv does not look at: upper " +
      "bounds of " +
      "Requires-Python count for blast, as for pip.",
  },
  { id: "azure-cli", lines: ["azure-cli"], imports: ["azure.cli.core"] },
  { id: "beam", lines: ["apache-beam[gcp]"], imports: ["apache_beam"] },
  { id: "superset", lines: ["apache-superset"], imports: ["superset"] },
  {
    id: "home-assistant",
    lines: ["homeassistant", "aiohomekit", "zeroconf", "hass-nabucasa"],
    imports: ["homeassistant", "aiohomekit", "zeroconf"],
  },
  { id: "ray", lines: ["ray[default,serve]", "click<8.2"], imports: ["ray"] },
  {
    id: "kedro",
    lines: ["kedro", "kedro-datasets[pandas]", "great-expectations<1"],
    imports: ["kedro", "great_expectations"],
  },
];

/** Only resolved: too large, for another Python or platform, or of no use when installed. */
const RESOLVED: readonly DifferentialSet[] = [
  {
    id: "airflow-all",
    lines: ["apache-airflow[all]"],
    explained:
      "Both go through the requirements in breadth and decide packages earlier that clash often; " +
      "uv counts clashes for extras and markers apart, so other packages come early.",
  },
  { id: "dbt", lines: ["dbt-core", "dbt-postgres", "snowflake-connector-python"] },
  { id: "boto3", lines: ["boto3", "urllib3<1.25.4"] },
  {
    id: "rapidjson",
    lines: ["python-rapidjson<=1.20,>=1.8", "sentry-kafka-schemas<=0.1.113,>=0.1.50"],
  },
  { id: "torch", lines: ["torch", "torchvision", "transformers[torch]"] },
  { id: "tensorflow", lines: ["tensorflow", "keras", "tensorflow-datasets"] },
  { id: "pydantic-v2", lines: ["pydantic>=2", "fastapi<0.95", "typer<0.9"] },
  { id: "flask-clash", lines: ["flask==3.0.0", "werkzeug<2"], unsatisfiable: true },
  { id: "numpy-clash", lines: ["pandas>=2.2", "numpy<1.20"], unsatisfiable: true },
  {
    id: "python-3.9",
    lines: ["jupyterlab", "pandas", "scikit-learn", "fastapi[standard]", "celery[redis]"],
    pythonVersion: "3.9",
  },
  {
    id: "python-3.13",
    lines: ["django", "pandas", "matplotlib", "jupyter", "aiohttp"],
    pythonVersion: "3.13",
  },
  { id: "home-assistant-3.13", lines: ["homeassistant"], pythonVersion: "3.13" },
  { id: "windows", lines: ["jupyter", "black", "pywin32", "psutil"], platform: "windows" },
  { id: "windows-airflow", lines: ["apache-airflow<3"], platform: "windows" },
  { id: "macos", lines: ["jupyter", "streamlit", "watchdog"], platform: "macos" },
];

/** With markers, for every platform and several Pythons. */
const UNIVERSAL: readonly DifferentialSet[] = [
  { id: "universal-flask", lines: ["flask[async]"], universal: true, pythonVersion: "3.9" },
  { id: "universal-jupyter", lines: ["jupyter"], universal: true, pythonVersion: "3.10" },
  {
    id: "universal-linters",
    lines: ["black[d]", "mypy", "pre-commit", "pytest", "tox"],
    universal: true,
    pythonVersion: "3.9",
  },
  {
    id: "universal-data",
    lines: ["pandas", "scipy", "matplotlib", "scikit-learn"],
    universal: true,
    pythonVersion: "3.9",
  },
  { id: "universal-streamlit", lines: ["streamlit"], universal: true, pythonVersion: "3.10" },
  { id: "universal-poetry", lines: ["poetry"], universal: true, pythonVersion: "3.9" },
  { id: "universal-airflow", lines: ["apache-airflow"], universal: true, pythonVersion: "3.10" },
  {
    id: "universal-torch",
    lines: ["torch", "transformers", "accelerate"],
    universal: true,
    pythonVersion: "3.10",
  },
  {
    id: "universal-conditions",
    lines: [
      "numpy<2 ; python_version < '3.11'",
      "numpy>=2 ; python_version >= '3.11'",
      "pywin32 ; sys_platform == 'win32'",
      "uvloop ; sys_platform != 'win32'",
      "pandas",
      "django<5 ; platform_machine == 'aarch64'",
      "django ; platform_machine != 'aarch64'",
    ],
    universal: true,
    pythonVersion: "3.10",
  },
];

/** Every set, in the order of the table. */
export const DIFFERENTIAL_SETS: readonly DifferentialSet[] = [
  ...INSTALLED,
  ...RESOLVED,
  ...UNIVERSAL,
].map((set) => ({ unsatisfiable: false, ...set }));
