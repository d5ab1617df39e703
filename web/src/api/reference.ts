// Zones and registry: read with the tag that names their state, changed under it.
import { exchange, queryString, type Tagged } from "./client";
import type { Page, Registration, ZoneCollection, ZonesVersion } from "./shapes";

const id = encodeURIComponent;
const registration = (drone: string) => `/api/registry/${id(drone)}`;

export const reference = {
  zones: () => exchange<ZoneCollection>("GET", "/api/zones"),
  putZones: (zones: ZoneCollection, tag: string) =>
    exchange<ZoneCollection>("PUT", "/api/zones", zones, { ifMatch: tag }),
  zoneVersions: async (continuation: string | null) =>
    (await exchange<Page<ZonesVersion>>("GET", `/api/zones/versions${queryString({ limit: 50, continuation })}`)).value,
  zoneVersion: async (version: number) =>
    (await exchange<ZoneCollection>("GET", `/api/zones/versions/${version}`)).value,
  restoreZones: (version: number, tag: string) =>
    exchange<ZoneCollection>("POST", `/api/zones/versions/${version}/restore`, undefined, { ifMatch: tag }),
  registration: (drone: string): Promise<Tagged<Registration>> => exchange("GET", registration(drone)),
  /** Without a tag: a new one. */
  putRegistration: (drone: string, entry: Registration, tag: string | null): Promise<Tagged<Registration>> =>
    exchange("PUT", registration(drone), entry, { ifMatch: tag }),
  deleteRegistration: (drone: string, tag: string) =>
    exchange<null>("DELETE", registration(drone), undefined, { ifMatch: tag }),
};
