/**
 * What runs a hook of a build backend (PEP 517, PEP 660): `python -c SCRIPT REQUEST`, in the folder
 * of the sources. The request and the answer are files of JSON, so that whatever the backend prints
 * is output and nothing else. Runs on Python 3.6 and newer.
 */

/** What the script is asked; {@link HOOK_SCRIPT} reads it. */
export interface HookRequest {
  /** `build_wheel`, `get_requires_for_build_editable`… */
  readonly hook: string;
  /** `module:object.attribute`. */
  readonly backend: string;
  /** Absolute folders that the backend must come from; empty: anywhere. */
  readonly backendPath: readonly string[];
  /** By position, for the hook. */
  readonly arguments: readonly unknown[];
  /** Where the answer goes. */
  readonly answer: string;
}

/** What it answers, if the hook came to its end. */
export type HookAnswer =
  | { readonly kind: "value"; readonly value: unknown }
  /** The backend does not have this hook. */
  | { readonly kind: "missing" }
  /** The backend cannot be imported, or comes from elsewhere. */
  | { readonly kind: "unusable"; readonly reason: string };

// The first entry of sys.path is the working folder: PEP 517 keeps the sources off the path.
export const HOOK_SCRIPT = `
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
import importlib, json, os, traceback

def find(request):
    folders = request["backendPath"]
    sys.path[:0] = folders
    name, _, attributes = request["backend"].partition(":")
    backend = importlib.import_module(name)
    if folders:
        place = os.path.realpath(getattr(backend, "__file__", None) or list(backend.__path__)[0])
        roots = [os.path.realpath(folder) for folder in folders]
        if not any(os.path.commonprefix((place, os.path.join(root, ""))) == os.path.join(root, "")
                   for root in roots):
            raise ImportError("%s lies in %s, not in backend-path" % (name, place))
    for attribute in attributes.split("."):
        if attribute:
            backend = getattr(backend, attribute)
    return backend

def run(request):
    try:
        backend = find(request)
    except (ImportError, AttributeError) as error:
        traceback.print_exc()
        return {"kind": "unusable", "reason": str(error)}
    hook = getattr(backend, request["hook"], None)
    if hook is None:
        return {"kind": "missing"}
    return {"kind": "value", "value": hook(*request["arguments"])}

os.dup2(1, 2)
with open(sys.argv[1], encoding="utf-8") as file:
    request = json.load(file)
del sys.argv[1:]
answer = run(request)
with open(request["answer"], "w", encoding="utf-8") as file:
    json.dump(answer, file)
`;
