// Made by `make web` out of the OpenAPI document; changes belong there.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description RFC 9457. */
        Problem: {
            /** Format: uri */
            type: string;
            title: string;
            status: number;
            detail: string;
            /** @description The single errors, where there are several. */
            errors?: Record<string, never>[];
        };
        Drone: {
            id: string;
            /** @description Charge left. Unit: fraction of the whole. */
            battery: number | null;
            flightMode: ("unknown" | "ready" | "takeoff" | "inflight" | "landing" | "offline") | null;
            /** @description The number as the device sent it. */
            flightModeNumber: number | null;
            position: {
                /** @description WGS 84, north positive. Unit: degrees. */
                latitude: number | null;
                /** @description WGS 84, east positive. Unit: degrees. */
                longitude: number | null;
                /** @description Above what `altitudeReference` says. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                altitude: number | null;
                /** @description Above the take-off point. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                height: number | null;
                altitudeReference: ("msl" | "wgs84" | "takeoff") | null;
            } | null;
            health: {
                gyrometer: boolean | null;
                accelerometer: boolean | null;
                magnetometer: boolean | null;
            } | null;
            /** @description Over ground. Unit: metres per second. */
            groundSpeed: number | null;
            /** @description Clockwise from north; kept as 0 to below 360. Unit: degrees. */
            heading: number | null;
            /** @description Up positive. Unit: metres per second. */
            verticalSpeed: number | null;
            /** @description Quality of the link. Unit: fraction of the whole. */
            signal: number | null;
            /** @description What it flies for. */
            mission: string | null;
            derived: {
                zones: string[] | null;
                healthy: boolean | null;
                outsideGeofence: boolean | null;
                altitudeLimitExceeded: boolean | null;
                /** @description Metres, geodesic. */
                distanceFromHome: number | null;
            };
            alerts: {
                /** @enum {string} */
                code: "low_battery" | "sensor_unhealthy" | "no_fly_zone" | "outside_geofence" | "altitude_limit" | "telemetry_delayed";
                /** Format: date-time */
                at: string;
            }[];
            /** @description Per top-level field the message time of its value, the latest of its parts. */
            updatedAt: {
                [key: string]: string | null;
            };
            /**
             * Format: date-time
             * @description The latest time at which the hub took a message of it.
             */
            lastSeen: string;
            /** @description Since lastSeen, at reading. */
            ageSeconds: number;
            /** @enum {string} */
            connectivity: "online" | "stale" | "offline";
            /** @description What the registry says of it; more than this, if its file does. */
            registration: ({
                name?: string | null;
                model?: string | null;
                owner?: string | null;
            } & {
                [key: string]: unknown;
            }) | null;
            lastMessage: {
                partition: string;
                sequenceNumber: number;
                /** Format: date-time */
                enqueuedAt: string;
            };
        };
        /** @description A drone, or the fields of it that were asked for. */
        SelectedDrone: {
            id: string;
            /** @description Charge left. Unit: fraction of the whole. */
            battery?: number | null;
            flightMode?: ("unknown" | "ready" | "takeoff" | "inflight" | "landing" | "offline") | null;
            /** @description The number as the device sent it. */
            flightModeNumber?: number | null;
            position?: {
                /** @description WGS 84, north positive. Unit: degrees. */
                latitude: number | null;
                /** @description WGS 84, east positive. Unit: degrees. */
                longitude: number | null;
                /** @description Above what `altitudeReference` says. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                altitude: number | null;
                /** @description Above the take-off point. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                height: number | null;
                altitudeReference: ("msl" | "wgs84" | "takeoff") | null;
            } | null;
            health?: {
                gyrometer: boolean | null;
                accelerometer: boolean | null;
                magnetometer: boolean | null;
            } | null;
            /** @description Over ground. Unit: metres per second. */
            groundSpeed?: number | null;
            /** @description Clockwise from north; kept as 0 to below 360. Unit: degrees. */
            heading?: number | null;
            /** @description Up positive. Unit: metres per second. */
            verticalSpeed?: number | null;
            /** @description Quality of the link. Unit: fraction of the whole. */
            signal?: number | null;
            /** @description What it flies for. */
            mission?: string | null;
            derived?: {
                zones: string[] | null;
                healthy: boolean | null;
                outsideGeofence: boolean | null;
                altitudeLimitExceeded: boolean | null;
                /** @description Metres, geodesic. */
                distanceFromHome: number | null;
            };
            alerts?: {
                /** @enum {string} */
                code: "low_battery" | "sensor_unhealthy" | "no_fly_zone" | "outside_geofence" | "altitude_limit" | "telemetry_delayed";
                /** Format: date-time */
                at: string;
            }[];
            /** @description Per top-level field the message time of its value, the latest of its parts. */
            updatedAt?: {
                [key: string]: string | null;
            };
            /**
             * Format: date-time
             * @description The latest time at which the hub took a message of it.
             */
            lastSeen?: string;
            /** @description Since lastSeen, at reading. */
            ageSeconds?: number;
            /** @enum {string} */
            connectivity?: "online" | "stale" | "offline";
            /** @description What the registry says of it; more than this, if its file does. */
            registration?: ({
                name?: string | null;
                model?: string | null;
                owner?: string | null;
            } & {
                [key: string]: unknown;
            }) | null;
            lastMessage?: {
                partition: string;
                sequenceNumber: number;
                /** Format: date-time */
                enqueuedAt: string;
            };
        };
        DroneList: {
            items: components["schemas"]["SelectedDrone"][];
            /** @description Opaque; pass it back as `continuation` for what follows. Null at the end. A page may be short, even empty, and still have one. */
            continuation: string | null;
            /**
             * Format: date-time
             * @description Of what the hub took before it drones know all, but for batches that are still under way. With a signal window it lies up to that far back; ask with it for what has changed since. Null: unknown.
             */
            asOf: string | null;
        };
        Message: {
            id: string;
            deviceId: string;
            /** Format: date-time */
            time: string;
            /** @enum {string} */
            timeSource: "device" | "gateway" | "hub";
            /** @enum {string} */
            format?: "json" | "protobuf" | "dji" | "mavlink" | "f3411";
            keyFrame?: boolean;
            /** @description Charge left. Unit: fraction of the whole. */
            battery?: number;
            /** @enum {string} */
            flightMode?: "unknown" | "ready" | "takeoff" | "inflight" | "landing" | "offline";
            /** @description The number as the device sent it. */
            flightModeNumber?: number;
            position?: {
                /** @description WGS 84, north positive. Unit: degrees. */
                latitude?: number;
                /** @description WGS 84, east positive. Unit: degrees. */
                longitude?: number;
                /** @description Above what `altitudeReference` says. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                altitude?: number;
                /** @description Above the take-off point. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                height?: number;
                /**
                 * @description Mean sea level, the WGS 84 ellipsoid or the take-off point; unsaid it is `ALTITUDE_REFERENCE`.
                 * @enum {string}
                 */
                altitudeReference?: "msl" | "wgs84" | "takeoff";
            };
            health?: {
                gyrometer?: boolean;
                accelerometer?: boolean;
                magnetometer?: boolean;
            };
            /** @description Over ground. Unit: metres per second. */
            groundSpeed?: number;
            /** @description Clockwise from north; kept as 0 to below 360. Unit: degrees. */
            heading?: number;
            /** @description Up positive. Unit: metres per second. */
            verticalSpeed?: number;
            /** @description Quality of the link. Unit: fraction of the whole. */
            signal?: number;
            /** @description What it flies for. */
            mission?: string;
            derived?: {
                [key: string]: unknown;
            };
            alerts?: unknown[];
            flags?: (("no_gps_fix" | "unknown_flight_mode_number" | "unregistered_device" | "misplaced_fields" | "implausible_clock") | string)[];
            /** @description Fields that the device sent beside ours. */
            extra?: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            enqueuedAt: string;
            partition: string;
            sequenceNumber: number;
            index: number;
            batchId?: string;
            /** @description The dead letter whose corrected copy it is. */
            correctedFrom?: string;
        };
        MessageList: {
            items: components["schemas"]["Message"][];
            /** @description Opaque; pass it back as `continuation` for what follows. Null at the end. A page may be short, even empty, and still have one. */
            continuation: string | null;
        };
        /** @description A GeoJSON Feature (RFC 7946); the times are nested as the positions are. */
        Track: {
            /** @constant */
            type: "Feature";
            id: string;
            /** @description A MultiLineString where the drone was silent for long, and at ±180°; one position is a Point, none is null. */
            geometry: {
                /** @constant */
                type: "LineString";
                coordinates: number[][];
            } | {
                /** @constant */
                type: "MultiLineString";
                coordinates: number[][][];
            } | {
                /** @constant */
                type: "Point";
                coordinates: number[];
            } | null;
            properties: {
                id: string;
                times: (string | string[])[];
            };
        };
        ReferenceStatus: {
            id: string;
            Battery: number | null;
            FlightMode: number | null;
            Latitude: number | null;
            Longitude: number | null;
            Altitude: number | null;
            GyrometerOK: boolean | null;
            AccelerometerOK: boolean | null;
            MagnetometerOK: boolean | null;
        };
        /**
         * @description Absent or null means unchanged. Fields beside these are kept and change nothing.
         * @example {
         *       "deviceId": "falcon-1",
         *       "timestamp": "2026-03-01T12:00:00.25Z",
         *       "keyFrame": true,
         *       "battery": 0.75,
         *       "flightMode": "inflight",
         *       "groundSpeed": 12.5,
         *       "heading": 271,
         *       "verticalSpeed": -0.5,
         *       "signal": 0.8,
         *       "mission": "survey-12",
         *       "position": {
         *         "latitude": 47.476075,
         *         "longitude": -122.192026,
         *         "altitude": 568.5,
         *         "height": 80.5,
         *         "altitudeReference": "msl"
         *       },
         *       "health": {
         *         "gyrometer": true,
         *         "accelerometer": true,
         *         "magnetometer": false
         *       }
         *     }
         */
        TelemetryMessage: {
            /** @description Which drone. DEVICE_ID_SOURCE may let the gateway say it instead. */
            deviceId: string;
            /** @description When it was measured; without it the time at which the hub took the event counts. */
            timestamp?: string | number | null;
            /** @description Charge left. Unit: fraction of the whole. */
            battery?: number | null;
            flightMode?: ("unknown" | "ready" | "takeoff" | "inflight" | "landing" | "offline") | number | null;
            position?: {
                /** @description WGS 84, north positive. Unit: degrees. */
                latitude?: number | null;
                /** @description WGS 84, east positive. Unit: degrees. */
                longitude?: number | null;
                /** @description Above what `altitudeReference` says. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                altitude?: number | null;
                /** @description Above the take-off point. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                height?: number | null;
                altitudeReference?: ("msl" | "wgs84" | "takeoff") | null;
            } | null;
            health?: {
                gyrometer?: boolean | null;
                accelerometer?: boolean | null;
                magnetometer?: boolean | null;
            } | null;
            /** @description Over ground. Unit: metres per second. */
            groundSpeed?: number | null;
            /** @description Clockwise from north; kept as 0 to below 360. Unit: degrees. */
            heading?: number | null;
            /** @description Up positive. Unit: metres per second. */
            verticalSpeed?: number | null;
            /** @description Quality of the link. Unit: fraction of the whole. */
            signal?: number | null;
            /** @description What it flies for. */
            mission?: string | null;
            /** @description Whether the message carries everything; any other only what changed. */
            keyFrame?: boolean | null;
        };
        Accepted: {
            accepted: number;
        };
        Batch: {
            id: string;
            hub: string;
            partition: string;
            firstSequenceNumber: number;
            lastSequenceNumber: number;
            events: number;
            messages: number | null;
            stored: number | null;
            duplicates: number | null;
            rejected: number | null;
            /** @enum {string} */
            status: "received" | "running" | "completed" | "failed";
            stage: ("start" | "validate" | "enrich" | "store" | "update_drones" | "complete") | null;
            attempts: number;
            error: string | null;
            /** Format: date-time */
            receivedAt: string;
            /** Format: date-time */
            completedAt: string | null;
            instanceId: string;
            /** @description Durable status of the current attempt; in Azure it needs the task hub's key as `code`. */
            statusQueryGetUri: string;
        };
        BatchList: {
            items: components["schemas"]["Batch"][];
            /** @description Opaque; pass it back as `continuation` for what follows. Null at the end. A page may be short, even empty, and still have one. */
            continuation: string | null;
        };
        /** @description The Durable check-status body, without the task hub's key. */
        CheckStatus: {
            id: string;
            statusQueryGetUri: string;
        } & {
            [key: string]: string;
        };
        ReplayedBatches: {
            replayed: string[];
            skipped: string[];
        };
        Stats: {
            events: number;
            messages: number;
            stored: number;
            rejected: number;
            duplicates: number;
            batches: {
                received: number;
                running: number;
                completed: number;
                failed: number;
            };
            deadLetters: {
                open: number;
                replayed: number;
                discarded: number;
            };
            deadLetterCodes: {
                [key: string]: number;
            };
            /** @description Null while a large fleet is being counted for the first time. */
            drones: number | null;
            /** @description Events in batches that are received, running or failed. */
            unprocessed: number;
            /**
             * Format: date-time
             * @description When the oldest of those batches was received.
             */
            oldestUnprocessedAt: string | null;
            /**
             * Format: date-time
             * @description When the batch that stands longest, of those received or running, last moved.
             */
            oldestUnfinishedAt: string | null;
            /** @description Completed batches of which drones are told at the end of a signal window, and when the oldest was completed. */
            held: {
                batches: number;
                /** Format: date-time */
                since: string | null;
            };
        };
        StatsSample: {
            /** Format: date-time */
            at: string;
            messages: number;
            stored: number;
            duplicates: number;
            rejected: number;
            /** @description Batches received or running. */
            unfinished: number;
            /** @description Batches. */
            failed: number;
            /** @description Events in batches that are received, running or failed. */
            unprocessed: number;
            /** Format: date-time */
            oldestUnprocessedAt: string | null;
        };
        StatsHistory: {
            items: components["schemas"]["StatsSample"][];
            continuation: null;
        };
        HealthReport: {
            status: components["schemas"]["HealthStatus"];
            parts: {
                store: components["schemas"]["HealthPart"];
                durable: components["schemas"]["HealthPart"];
                eventHub: components["schemas"]["HealthPart"];
                zones: components["schemas"]["HealthPart"];
                registry: components["schemas"]["HealthPart"];
            };
        };
        /** @enum {string} */
        HealthStatus: "healthy" | "degraded" | "unhealthy";
        HealthPart: {
            status: components["schemas"]["HealthStatus"];
            detail?: string;
        };
        RecoveryReport: {
            partitions: {
                partition: string;
                /** @description Sequence number. */
                oldest: number;
                /** @description Less than `oldest`: nothing is there. */
                newest: number;
                missing: {
                    first: number;
                    last: number;
                }[];
                events: number;
            }[];
            events: number;
        };
        Recovered: {
            received: number;
            batches: string[];
            next: number | null;
        };
        PageSettings: {
            mapTilesUrl: string | null;
            mapTilesAttribution: string | null;
            /** @description Where this server has a PMTiles file, if it has one. */
            mapPmtilesUrl: string | null;
            lowBattery: number;
            staleSeconds: number;
            offlineSeconds: number;
            altitudeLimitMetres: number;
            /** @enum {string} */
            authMode: "none" | "app-service";
        };
        Me: {
            /** @description False too where nobody has to sign in. */
            signedIn: boolean;
            /** @description As the sign-in names the caller. */
            name: string | null;
            /** @description What they may. */
            roles: ("GetStatus" | "SendTelemetry" | "Operate")[];
        };
        /** @description A GeoJSON FeatureCollection of polygons with id, name, kind, and optionally floor and ceiling. */
        Zones: {
            /** @constant */
            type: "FeatureCollection";
            features: {
                /** @constant */
                type: "Feature";
                geometry: {
                    type: string;
                    coordinates: unknown[];
                };
                properties: {
                    id: string;
                    name?: string;
                    kind?: string;
                    floor?: number | null;
                    ceiling?: number | null;
                };
            }[];
        };
        RuleError: {
            code: string;
            field: string | null;
            value: unknown;
            detail: string | null;
        };
        DeadLetter: {
            id: string;
            /** @enum {string} */
            status: "open" | "replayed" | "discarded";
            errors: components["schemas"]["RuleError"][];
            body: string;
            deviceId: string | null;
            hub: string;
            partition: string;
            offset: string | null;
            sequenceNumber: number;
            /** Format: date-time */
            enqueuedAt: string;
            index: number | null;
            batchId: string;
            attempts: number;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            resolvedAt: string | null;
            reason: string | null;
            contentType?: string | null;
            contentEncoding?: string | null;
            /** @description What came with the event: partitionKey, properties, system, leftOut (no room). */
            context?: {
                [key: string]: unknown;
            } | null;
            /** @description How many rejected messages it stands for. */
            messages?: number;
            /** @description The corrected copy that was stored in its place. */
            correction?: components["schemas"]["Correction"];
        };
        CorrectedMessage: {
            id: string;
            deviceId: string;
            /** Format: date-time */
            time: string;
        };
        Correction: {
            /** Format: date-time */
            at: string;
            by: string | null;
            body: string;
            contentType: string | null;
            contentEncoding: string | null;
            /** @description Messages in it. */
            count: number;
            /** @description The first 20 of them. */
            messages: components["schemas"]["CorrectedMessage"][];
        };
        CheckedCopy: {
            /** @description Messages; 0 with `errors`. */
            accepted: number;
            /** @description The first 20 of them. */
            messages: components["schemas"]["CorrectedMessage"][];
            errors: components["schemas"]["RuleError"][];
        };
        /** @description A letter that breaks several rules is in several groups. */
        DeadLetterGroup: {
            errorCode: string;
            deviceId: string | null;
            letters: number;
            /** Format: date-time */
            newestAt: string;
            /** Format: date-time */
            oldestAt: string;
        };
        DeadLetterGroups: {
            items: components["schemas"]["DeadLetterGroup"][];
            continuation: null;
            /** @description Letters that were looked at, the newest. */
            letters: number;
            /** @description False: there are more letters, which were not. */
            complete: boolean;
        };
        DeadLetterList: {
            items: components["schemas"]["DeadLetter"][];
            /** @description Opaque; pass it back as `continuation` for what follows. Null at the end. A page may be short, even empty, and still have one. */
            continuation: string | null;
        };
        ReplayedDeadLetters: {
            replayed: number;
            stillRejected: number;
            skipped: number;
        };
        Flight: {
            id: string;
            deviceId: string;
            /**
             * Format: date-time
             * @description Message time of its first message.
             */
            startedAt: string;
            /**
             * Format: date-time
             * @description Message time of its last message; null while it is ongoing.
             */
            endedAt: string | null;
            /** @enum {string} */
            status: "ongoing" | "ended";
            /** @description Up to the last message. */
            durationSeconds: number;
            /** @description Horizontal, geodesic, point to point. */
            distanceMetres: number;
            /** @description Metres. */
            maxHeight: number | null;
            /** @description Metres. */
            maxAltitude: number | null;
            /** @description Metres per second. */
            maxGroundSpeed: number | null;
            batteryStart: number | null;
            batteryEnd: number | null;
            takeoff: {
                /** @description WGS 84, north positive. Unit: degrees. */
                latitude?: number;
                /** @description WGS 84, east positive. Unit: degrees. */
                longitude?: number;
                /** @description Above what `altitudeReference` says. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                altitude?: number;
                /** @description Above the take-off point. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                height?: number;
                /**
                 * @description Mean sea level, the WGS 84 ellipsoid or the take-off point; unsaid it is `ALTITUDE_REFERENCE`.
                 * @enum {string}
                 */
                altitudeReference?: "msl" | "wgs84" | "takeoff";
            } | null;
            landing: {
                /** @description WGS 84, north positive. Unit: degrees. */
                latitude?: number;
                /** @description WGS 84, east positive. Unit: degrees. */
                longitude?: number;
                /** @description Above what `altitudeReference` says. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                altitude?: number;
                /** @description Above the take-off point. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                height?: number;
                /**
                 * @description Mean sea level, the WGS 84 ellipsoid or the take-off point; unsaid it is `ALTITUDE_REFERENCE`.
                 * @enum {string}
                 */
                altitudeReference?: "msl" | "wgs84" | "takeoff";
            } | null;
            messages: number;
            alerts: ("low_battery" | "sensor_unhealthy" | "no_fly_zone" | "outside_geofence" | "altitude_limit" | "telemetry_delayed")[];
            mission: string | null;
        };
        FlightList: {
            items: components["schemas"]["Flight"][];
            /** @description Opaque; pass it back as `continuation` for what follows. Null at the end. A page may be short, even empty, and still have one. */
            continuation: string | null;
        };
        /** @description An episode of one code of one drone. */
        Alert: {
            id: string;
            deviceId: string;
            /** @enum {string} */
            code: "low_battery" | "sensor_unhealthy" | "no_fly_zone" | "outside_geofence" | "altitude_limit" | "telemetry_delayed";
            /** @enum {string} */
            status: "active" | "cleared";
            /**
             * Format: date-time
             * @description Message time at which the condition began.
             */
            raisedAt: string;
            /**
             * Format: date-time
             * @description When it was cleared; null while it is active.
             */
            clearedAt: string | null;
            /** Format: date-time */
            acknowledgedAt: string | null;
            /** @description Who had signed in; null where nobody has to. */
            acknowledgedBy: string | null;
            note: string | null;
            /**
             * Format: date-time
             * @description When it had been unacknowledged for too long.
             */
            escalatedAt: string | null;
            /** @description What raised it: the battery (fraction), the names of the ill sensors, the ids of the zones, metres from home (`outside_geofence`), metres of height or altitude, seconds of delay. Null where it is not known. */
            value: number | string[] | null;
            position: {
                /** @description WGS 84, north positive. Unit: degrees. */
                latitude?: number;
                /** @description WGS 84, east positive. Unit: degrees. */
                longitude?: number;
                /** @description Above what `altitudeReference` says. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                altitude?: number;
                /** @description Above the take-off point. `ALTITUDE_RANGE_METRES` moves the range. Unit: metres. */
                height?: number;
                /**
                 * @description Mean sea level, the WGS 84 ellipsoid or the take-off point; unsaid it is `ALTITUDE_REFERENCE`.
                 * @enum {string}
                 */
                altitudeReference?: "msl" | "wgs84" | "takeoff";
            } | null;
            /** @description The flight in which it was raised. */
            flightId: string | null;
            /** @description Notices that at least one receiver never got. */
            undelivered: ("drone.alert.raised" | "drone.alert.escalated" | "drone.alert.acknowledged" | "drone.alert.cleared")[];
            /** @description The durable instance of the episode. */
            instanceId: string;
            statusQueryGetUri: string;
        };
        AlertList: {
            items: components["schemas"]["Alert"][];
            /** @description Opaque; pass it back as `continuation` for what follows. Null at the end. A page may be short, even empty, and still have one. */
            continuation: string | null;
        };
        ZonesVersion: {
            version: number;
            /** Format: date-time */
            at: string;
            /** @description Who made it, where people sign in; `file`: the file. */
            by: string | null;
        };
        ZonesVersionList: {
            items: components["schemas"]["ZonesVersion"][];
            /** @description Opaque; pass it back as `continuation` for what follows. Null at the end. A page may be short, even empty, and still have one. */
            continuation: string | null;
        };
        /** @description What the registry says of a drone; more than this, if its author does. */
        Registration: {
            id: string;
            name?: string | null;
            model?: string | null;
            owner?: string | null;
            home?: {
                [key: string]: unknown;
            } | null;
        } & {
            [key: string]: unknown;
        };
        RegistrationList: {
            items: components["schemas"]["Registration"][];
            /** @description Opaque; pass it back as `continuation` for what follows. Null at the end. A page may be short, even empty, and still have one. */
            continuation: string | null;
        };
        Instance: {
            id: string;
            /** @description The orchestrator. */
            name: string;
            /** @enum {string} */
            status: "Pending" | "Running" | "ContinuedAsNew" | "Suspended" | "Completed" | "Failed" | "Terminated" | "Canceled";
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description What the orchestrator says of itself, any JSON. */
            customStatus: unknown;
            /** @description What a failed or terminated one ended with. */
            error: string | null;
            /** @description The batch that it runs, where it runs one. */
            batchId: string | null;
        };
        InstanceList: {
            items: components["schemas"]["Instance"][];
            /** @description Opaque; pass it back as `continuation` for what follows. Null at the end. A page may be short, even empty, and still have one. */
            continuation: string | null;
        };
        InstanceDetail: {
            id: string;
            /** @description The orchestrator. */
            name: string;
            /** @enum {string} */
            status: "Pending" | "Running" | "ContinuedAsNew" | "Suspended" | "Completed" | "Failed" | "Terminated" | "Canceled";
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description What the orchestrator says of itself, any JSON. */
            customStatus: unknown;
            /** @description What a failed or terminated one ended with. */
            error: string | null;
            /** @description The batch that it runs, where it runs one. */
            batchId: string | null;
            /** @description Any JSON. */
            input: unknown;
            /** @description Any JSON; of a failed one the error's whole text. */
            output: unknown;
            /** @description As the Durable status API shows it with showHistory and showHistoryOutput. */
            history: {
                EventType: string;
            }[];
            /** @description Older events that are not shown. */
            historyLeftOut: number;
            statusQueryGetUri: string;
        };
        BatchInstance: {
            attempt: number;
            instanceId: string;
            /** @description Null: the engine has it no more, or not yet. */
            instance: components["schemas"]["InstanceDetail"] | null;
        };
        InstanceReference: {
            id: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type Problem = components['schemas']['Problem'];
export type Drone = components['schemas']['Drone'];
export type SelectedDrone = components['schemas']['SelectedDrone'];
export type DroneList = components['schemas']['DroneList'];
export type Message = components['schemas']['Message'];
export type MessageList = components['schemas']['MessageList'];
export type Track = components['schemas']['Track'];
export type ReferenceStatus = components['schemas']['ReferenceStatus'];
export type TelemetryMessage = components['schemas']['TelemetryMessage'];
export type Accepted = components['schemas']['Accepted'];
export type Batch = components['schemas']['Batch'];
export type BatchList = components['schemas']['BatchList'];
export type CheckStatus = components['schemas']['CheckStatus'];
export type ReplayedBatches = components['schemas']['ReplayedBatches'];
export type Stats = components['schemas']['Stats'];
export type StatsSample = components['schemas']['StatsSample'];
export type StatsHistory = components['schemas']['StatsHistory'];
export type HealthReport = components['schemas']['HealthReport'];
export type HealthStatus = components['schemas']['HealthStatus'];
export type HealthPart = components['schemas']['HealthPart'];
export type RecoveryReport = components['schemas']['RecoveryReport'];
export type Recovered = components['schemas']['Recovered'];
export type PageSettings = components['schemas']['PageSettings'];
export type Me = components['schemas']['Me'];
export type Zones = components['schemas']['Zones'];
export type RuleError = components['schemas']['RuleError'];
export type DeadLetter = components['schemas']['DeadLetter'];
export type CorrectedMessage = components['schemas']['CorrectedMessage'];
export type Correction = components['schemas']['Correction'];
export type CheckedCopy = components['schemas']['CheckedCopy'];
export type DeadLetterGroup = components['schemas']['DeadLetterGroup'];
export type DeadLetterGroups = components['schemas']['DeadLetterGroups'];
export type DeadLetterList = components['schemas']['DeadLetterList'];
export type ReplayedDeadLetters = components['schemas']['ReplayedDeadLetters'];
export type Flight = components['schemas']['Flight'];
export type FlightList = components['schemas']['FlightList'];
export type Alert = components['schemas']['Alert'];
export type AlertList = components['schemas']['AlertList'];
export type ZonesVersion = components['schemas']['ZonesVersion'];
export type ZonesVersionList = components['schemas']['ZonesVersionList'];
export type Registration = components['schemas']['Registration'];
export type RegistrationList = components['schemas']['RegistrationList'];
export type Instance = components['schemas']['Instance'];
export type InstanceList = components['schemas']['InstanceList'];
export type InstanceDetail = components['schemas']['InstanceDetail'];
export type BatchInstance = components['schemas']['BatchInstance'];
export type InstanceReference = components['schemas']['InstanceReference'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
export const BATCH_STATUSES = ["received", "running", "completed", "failed"] as const;
export const LETTER_STATUSES = ["open", "replayed", "discarded"] as const;
export const ERROR_CODES = ["empty_body", "too_large", "unreadable_body", "unsupported_content_encoding", "malformed_encoding", "malformed_gzip", "malformed_json", "malformed_protobuf", "too_many_messages", "not_an_object", "wrong_type", "missing_device_id", "invalid_device_id", "invalid_timestamp", "timestamp_in_future", "device_id_mismatch", "battery_out_of_range", "unknown_flight_mode", "latitude_out_of_range", "longitude_out_of_range", "altitude_out_of_range", "height_out_of_range", "unknown_altitude_reference", "ground_speed_out_of_range", "heading_out_of_range", "vertical_speed_out_of_range", "signal_out_of_range", "mission_too_long"] as const;
export const STEPS = ["store", "update_drones"] as const;
export const INSTANCE_STATUSES = ["Pending", "Running", "ContinuedAsNew", "Suspended", "Completed", "Failed", "Terminated", "Canceled"] as const;
export const STAGE_OF_ACTIVITY: Readonly<Record<string, string>> = {"store_messages": "store", "finish_batch": "update_drones", "validate_batch": "validate", "enrich_messages": "enrich", "update_drones": "update_drones", "complete_batch": "complete", "fail_batch": "fail"};
