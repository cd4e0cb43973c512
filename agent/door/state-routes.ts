import type * as v from "valibot";
import {
  ClearCookies,
  ClearState,
  ExportState,
  GetCookies,
  GetStorage,
  ImportState,
  MAX_STATE_BYTES,
  SetCookies,
  SetStorage,
} from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import type { Context } from "../state/context.ts";
import { clearCookies, getCookies, setCookies } from "../state/cookies.ts";
import type { State } from "../state/state.ts";
import { clearState, exportState, importState } from "../state/storage-state.ts";
import { getStorage, setStorage } from "../state/storage.ts";
import type { Routes } from "./door.ts";
import type { Handler } from "./http.ts";
import { operation, type Timed } from "./operation.ts";
import { HypeError } from "../../src/contract/index.ts";

/** `/v1/browser/*` for what a browser keeps: one line an operation, the work stands in agent/state/. */
export function stateRoutes(state: State): Routes {
  const onState = <R extends Timed & { tab?: string | undefined }>(
    what: string,
    schema: v.GenericSchema<unknown, R>,
    act: (context: Context, request: R) => Promise<unknown>,
  ): Handler =>
    operation(
      what,
      schema,
      async (request, signal) => {
        try {
          return await act(await state.context(request.tab, signal), request);
        } catch (thrown) {
          if (!(thrown instanceof CommandRefused)) throw thrown;
          throw new HypeError("state_incomplete", `${what}: ${thrown.detail}`, {}, { cause: thrown });
        }
      },
      undefined,
      MAX_STATE_BYTES,
    );
  const { own } = state;
  return {
    "POST /v1/browser/get-cookies": onState("get-cookies", GetCookies, getCookies),
    "POST /v1/browser/set-cookies": onState("set-cookies", SetCookies, (context, { cookies }) =>
      setCookies(context, cookies),
    ),
    "POST /v1/browser/clear-cookies": onState("clear-cookies", ClearCookies, clearCookies),
    "POST /v1/browser/get-storage": onState("get-storage", GetStorage, async (context, request) =>
      getStorage(context, own, await state.origins(context), request),
    ),
    "POST /v1/browser/set-storage": onState("set-storage", SetStorage, async (context, request) => {
      state.remember(context, [request.origin]);
      await setStorage(context, own, request);
    }),
    "POST /v1/browser/export-state": onState("export-state", ExportState, async (context, request) =>
      exportState(context, own, await state.origins(context), request),
    ),
    "POST /v1/browser/import-state": onState("import-state", ImportState, async (context, request) => {
      const before = await state.origins(context);
      state.remember(
        context,
        request.state.origins.map(({ origin }) => origin),
      );
      return importState(context, own, before, request);
    }),
    "POST /v1/browser/clear-state": onState("clear-state", ClearState, async (context, request) => {
      const cleared = await clearState(context, own, await state.origins(context), request);
      const isAll = request.parts.includes("local_storage") && request.parts.includes("indexeddb");
      if (isAll) await state.forget(context, cleared.origins);
      return cleared;
    }),
  };
}
