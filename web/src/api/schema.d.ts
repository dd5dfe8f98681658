// Generated from openapi/fim.json by `npm run gen`. Do not edit.
export interface paths {
    "/{tenant}/oauth2/v2.0/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exchanges an API token for an access token. */
        post: operations["exchange_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/{tenant}/v2.0/.well-known/openid-configuration": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells a client where it gets tokens. */
        get: operations["discover"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fim/recommended": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The recommended items, by type. */
        get: operations["list_recommended"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/query/capabilities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What of KQL this server answers. */
        get: operations["list_capabilities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/query/schema": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tables that can be asked. */
        get: operations["list_tables"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/query/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The mistakes in a query, without running it. */
        post: operations["validate_query"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is signed in. */
        get: operations["show_session"];
        put?: never;
        /** Signs in by name and password. */
        post: operations["sign_in"];
        /** Signs out. */
        delete: operations["sign_out"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/one-time": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs in by the code of a sign-in link, which is good once. */
        post: operations["sign_in_once"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-in-links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a link by which one browser signs in as `admin`, once and within ten minutes. */
        post: operations["create_sign_in_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The API tokens, without what opens anything. */
        get: operations["list_tokens"];
        put?: never;
        /** Makes an API token. */
        post: operations["create_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Takes an API token away; who uses it is refused from now on. */
        delete: operations["delete_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Sets the own password and ends every other session. A session that came by a sign-in link may do so once, in its first
         *     ten minutes, without the current password: such links are made for owners of everything only, and for whoever has
         *     forgotten it.
         */
        put: operations["set_password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The workspaces that the caller may see. */
        get: operations["list_workspaces"];
        put?: never;
        /** Makes a workspace in which monitoring is off. */
        post: operations["create_workspace"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One workspace. */
        get: operations["show_workspace"];
        put?: never;
        post?: never;
        /**
         * Deletes a workspace for ever: its records, rules, machines, and the tokens that are for it alone. Agents of its
         *     machines are refused from now on.
         */
        delete: operations["delete_workspace"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes, page by page. A later page neither repeats nor loses a change when new ones arrive. */
        get: operations["list_changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/changes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One change with every attribute before and after. */
        get: operations["show_change"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/changes/{id}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the text of a file differs before and after a change, for rules that have it stored. Who asks is written into the
         *     audit log.
         */
        get: operations["show_content"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/changes/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Changes as server-sent events: `change` with a change as its data and its id as the event's. The first event has an
         *     id only, to come back with if there was no change. What was received after the event that is named comes first, the
         *     late ones too, and then `caught-up`; after a restart of the server some of before come again, so that none is missed. A
         *     reader that is too slow gets `lagged`, and the stream ends; it comes back with `after`. The stream also ends when its caller's token,
         *     session or workspace does.
         */
        get: operations["stream_changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/coverage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The stretches of a period that could not be watched: those that go on first, then the newest. */
        get: operations["list_gaps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/enrollment-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a token that one machine can join the workspace with. */
        post: operations["create_enrollment_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/fim": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether monitoring is on in a workspace, and with what. */
        get: operations["show_fim"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/fim/collection": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Sets how often files are scanned, and daemons, software and the inventory are collected. */
        patch: operations["edit_collection"];
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/fim/disable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Turns monitoring off. Rules and records stay. */
        post: operations["disable_fim"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/fim/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Turns monitoring on: with the rules that there are and the recommended items that are missing among them, or with the
         *     recommended items but for those that are named. Those that were edited stay as they are, unless they are to be put back.
         */
        post: operations["enable_fim"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/machines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The machines of a workspace with their figures for a period. */
        get: operations["list_machines"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/machines/{machine}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One machine with its figures for a period. */
        get: operations["show_machine"];
        put?: never;
        post?: never;
        /** Removes a machine: its certificate is good no more, its records stay. */
        delete: operations["remove_machine"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers a query. Closing the connection stops it. */
        post: operations["run_query"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/query.arrow": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers a query as a file of Arrow's interprocess format. */
        post: operations["download_query_as_arrow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/query.csv": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answers a query as a CSV file for spreadsheets: UTF-8, lines end with CR LF, and what a spreadsheet would run as a
         *     formula has an apostrophe before it.
         */
        post: operations["download_query"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/query.ndjson": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers a query as a file with one JSON object a line. */
        post: operations["download_query_as_ndjson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/query.parquet": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers a query as a Parquet file. */
        post: operations["download_query_as_parquet"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The workspace's rules in the order in which they are tried. */
        get: operations["list_rules"];
        put?: never;
        /** Adds a rule. */
        post: operations["create_rule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/rules/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One rule. */
        get: operations["show_rule"];
        put?: never;
        post?: never;
        /** Takes a rule away; the records that it made stay. */
        delete: operations["delete_rule"];
        options?: never;
        head?: never;
        /** Changes a rule. */
        patch: operations["edit_rule"];
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/rules/{name}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Puts a rule out of force. */
        post: operations["disable_rule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/rules/{name}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Puts a rule in force. */
        post: operations["enable_rule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/storage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A workspace's records on the disk. */
        get: operations["show_storage"];
        /** Sets how long records stay and how much may come in a day, in the place of what was set. */
        put: operations["edit_storage"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces/{ws}/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The dashboard's figures for a period. */
        get: operations["summarize_workspace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dataCollectionRules/{dcr}/streams/{stream}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stores records. When the answer comes they are durable, and the next query sees them; a call that is repeated with the
         *     same `x-ms-client-request-id` and the same records is stored once.
         */
        post: operations["post_records"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/$batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers several queries, one after the other, each in its own right: one that fails leaves the others as they are. */
        post: operations["post_log_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rest/auth/metadata": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells a client of the Kusto interface where it gets tokens, and for what. */
        get: operations["discover_for_kusto"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rest/mgmt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Does a command. */
        post: operations["post_kusto_command"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/subscriptions/{*resource}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Answers such a query that is in the address. */
        get: operations["get_resource_query"];
        put?: never;
        /** Answers a query about a resource, or all that is in a resource group or a subscription. */
        post: operations["post_resource_query"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/workspaces/{ws}/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Answers a query that is in the address. */
        get: operations["get_log_query"];
        put?: never;
        /** Answers a query as the published interface does. Closing the connection stops it. */
        post: operations["post_log_query"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/rest/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers a query in frames. Closing the connection stops it. */
        post: operations["post_kusto_query"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An access token, seen this one time. Source: RFC 6749, section 5.1. */
        AccessToken: {
            /** @description The token: `Authorization: Bearer …`. */
            access_token: string;
            /**
             * Format: int64
             * @description Seconds until it is good no more.
             */
            expires_in: number;
            /**
             * Format: int64
             * @description The same; some clients look here.
             */
            ext_expires_in: number;
            /** @description `Bearer`. */
            token_type: string;
        };
        /**
         * @description What an agent is doing.
         * @enum {string}
         */
        AgentState: "baselining" | "scanning" | "idle";
        /** @description An API token as lists show it: never the token itself. */
        ApiToken: {
            /** @description What OAuth 2.0 calls the client's id; the token is the client's secret. */
            clientId: string;
            /** @description When it was made. */
            createdAt: components["schemas"]["Moment"];
            /** @description Who made it. */
            createdBy: string;
            expiresAt: components["schemas"]["Moment"] | null;
            /** @description The name. */
            name: string;
            /** @description The role. */
            role: string;
            /** @description The workspace's id that it is limited to. */
            scope: string | null;
        };
        /** @description One attribute before and after a change. */
        Attribute: {
            /** @description What it is; null if there is nothing. */
            after: string | null;
            /** @description What it was; null if there was nothing. */
            before: string | null;
            /** @description True if the two differ. */
            changed: boolean;
            /** @description True if it reads best in a fixed-width face. */
            mono: boolean;
            /** @description The attribute's name. */
            name: string;
        };
        /** @description What of KQL this server answers. */
        Capabilities: {
            /** @description Aggregation functions. */
            aggregates: string[];
            /** @description Scalar functions. */
            functions: string[];
            /** @description Tabular operators. */
            operators: string[];
        };
        /** @description A change record as lists show it. */
        Change: {
            actor?: components["schemas"]["ChangeActor"] | null;
            /** @description What happened to it. */
            category: components["schemas"]["ChangeCategory"];
            /** @description The path or key. */
            entity: string;
            eventTime?: components["schemas"]["Moment"] | null;
            /**
             * @description What the other fields have no room for, in sentences: how it came about, why it is not known who else had a part in
             *     it. `Explanation`, without what `whoUnknown` tells.
             */
            explanation?: string | null;
            /** @description Which fields differ. */
            fields: string[];
            /** @description What identifies the change: `ChangeId`. */
            id: string;
            kind: components["schemas"]["FileKind"] | null;
            /** @description The machine's name. */
            machine: string;
            /**
             * Format: int64
             * @description How many more had a part in it than `actor` and `others` name; absent if none: `MoreInitiatingProcesses`.
             */
            moreOthers?: number;
            /** @description What it was called before it was moved here: `PreviousFileSystemPath`. */
            movedFrom?: string | null;
            /**
             * @description Other processes that had a part in it, in the order in which they first acted; absent if none is known:
             *     `OtherInitiatingProcesses`.
             */
            others?: components["schemas"]["OtherActor"][];
            /** @description The rule that the entity is monitored by. */
            rule: string;
            /** @description How it was noticed: `Scan`, `RealTime` or `Agentless`. */
            source: string;
            /** @description When it was noticed: `TimeGenerated`. */
            time: components["schemas"]["Moment"];
            /** @description What kind of entity it is. */
            type: components["schemas"]["ChangeType"];
            /** @description The version that software has now: `Current`. */
            versionAfter?: string | null;
            /** @description The version that software had before: `Previous`. */
            versionBefore?: string | null;
            /** @description The user who changed it, where that is known. */
            who?: string | null;
            /** @description Why it is not known who made it, in a few words; absent where somebody is named, and where nothing is known of why. */
            whoUnknown?: string | null;
        };
        /** @description A process that changed something, as far as it is known. */
        ChangeActor: {
            /** @description Program and arguments: `InitiatingProcessCommandLine`. */
            commandLine?: string | null;
            /** @description The container that it ran in: `ContainerId`. */
            container?: string | null;
            /** @description The program's path: `InitiatingProcessName`. */
            executable?: string | null;
            /** @description Who had signed in, whatever user they became since: `LoginAccountName`. */
            loginUser?: string | null;
            /** @description The names of what started it, the nearest first, as in `bash < sshd < systemd`: `InitiatingProcessParentName`. */
            parents?: string | null;
            /**
             * Format: int64
             * @description The process's id, as the machine counts: `InitiatingProcessId`.
             */
            processId: number;
            /** @description Whose rights it had: `InitiatingProcessAccountName`. */
            user?: string | null;
        };
        /**
         * @description The published categories of a change.
         * @enum {string}
         */
        ChangeCategory: "Modified" | "Added" | "Removed";
        /** @description How the text of a file differs before and after a change. Secrets in known formats are masked in it. */
        ChangeContent: {
            /** @description What there is of the text after. */
            after: components["schemas"]["ContentState"];
            /** @description What there is of the text before. */
            before: components["schemas"]["ContentState"];
            /** @description The file. */
            entity: string;
            /** @description The stretches that differ; none unless there is a text, or no file, on each side. */
            hunks: components["schemas"]["Hunk"][];
            /** @description The change's id. */
            id: string;
            /** @description True if there are more than are told. */
            isCut: boolean;
            /** @description The machine's name. */
            machine: string;
        };
        /** @description A change record with all that is known of it. */
        ChangeDetail: components["schemas"]["Change"] & {
            /** @description Every attribute before and after. */
            attrs: components["schemas"]["Attribute"][];
            /** @description Other changes of the same entity, the newest first. */
            related: components["schemas"]["Change"][];
        };
        /** @description A page of changes. */
        ChangePage: {
            /** @description The changes. */
            items: components["schemas"]["Change"][];
            /** @description What to ask the next page with; null on the last. */
            next: string | null;
            /**
             * Format: int64
             * @description How many there are in all that answer the filter.
             */
            total: number;
        };
        /**
         * @description The published kinds of monitored entities.
         * @enum {string}
         */
        ChangeType: "Files" | "Registry" | "WindowsServices" | "Daemons" | "Software";
        /** @description How often what is no file is collected on each machine, in seconds. What is null is not collected. */
        Collection: {
            /**
             * Format: int64
             * @description The daemons of Linux and the services of Windows.
             */
            daemonsSeconds: number | null;
            /**
             * Format: int64
             * @description The inventory of all that is monitored.
             */
            inventorySeconds: number | null;
            /**
             * Format: int64
             * @description The software that is installed.
             */
            softwareSeconds: number | null;
        };
        /**
         * @description How often to scan the files, and to collect what is no file. What is absent stays; 0 is for what is not to be
         *     collected.
         */
        CollectionPatch: {
            /**
             * Format: int64
             * @description Seconds between two collections of the daemons of Linux and the services of Windows.
             */
            daemonsSeconds?: number | null;
            /**
             * Format: int64
             * @description Seconds between the beginnings of two scans of the files; never 0.
             */
            filesSeconds?: number | null;
            /**
             * Format: int64
             * @description Seconds between two inventories.
             */
            inventorySeconds?: number | null;
            /**
             * Format: int64
             * @description Seconds between two collections of the software.
             */
            softwareSeconds?: number | null;
        };
        /** @description A column of an answer or of a table. */
        Column: {
            /** @description The name; case matters. */
            name: string;
            /** @description The scalar type's name in KQL. */
            type: string;
        };
        /**
         * @description What there is of the text of a file on one side of a change.
         * @enum {string}
         */
        ContentState: "text" | "no-file" | "unknown" | "not-received" | "too-large" | "not-text" | "changed-while-read" | "unreadable" | "limit-reached" | "lost";
        /** @description A new API token, seen this one time. */
        CreatedApiToken: components["schemas"]["ApiToken"] & {
            /** @description The token: `Authorization: Bearer …`. */
            token: string;
        };
        /** @description One mistake in a query, or in another text that has lines. */
        Diagnostic: {
            /** @description What kind of mistake it is; stays the same from version to version. */
            code: string;
            /**
             * Format: int32
             * @description The character in the line it starts at, from 1.
             */
            column: number;
            /**
             * Format: int32
             * @description The character in the line right after it, from 1.
             */
            endColumn: number;
            /**
             * Format: int32
             * @description The line it ends on, from 1.
             */
            endLine: number;
            /** @description What could stand there. */
            expected?: string[];
            /** @description The field of the body that the text is in, where that has several. */
            field?: string | null;
            /**
             * Format: int32
             * @description The line it starts on, from 1.
             */
            line: number;
            /** @description What is wrong, for a person. */
            message: string;
            /** @description What was probably meant. */
            suggestion?: string | null;
            /** @description The text that has the mistake, where it is not all that was sent. */
            text?: string | null;
        };
        /** @description Where a client finds what. Source: OpenID Connect Discovery 1.0, section 3. */
        Discovery: {
            authorization_endpoint: string;
            grant_types_supported: string[];
            issuer: string;
            response_types_supported: string[];
            subject_types_supported: string[];
            token_endpoint: string;
            token_endpoint_auth_methods_supported: string[];
        };
        /** @description What to leave out when monitoring is enabled. */
        EnableFim: {
            /**
             * @description Names of recommended items that are not to be in force, while all others are. If absent, rules that there are stay
             *     as they are, and recommended items that are missing among them, such as those that were deleted, are put in force.
             */
            disabledItems?: string[] | null;
            /** @description True if recommended items that were edited to watch something else are to be put back as they are recommended. */
            restoreChanged?: boolean;
        };
        /** @description What one machine enrols with, once. */
        EnrollmentToken: {
            /** @description The SHA-256 of the server's CA certificate, in hex. */
            caFingerprint: string;
            /**
             * @description What to run on the machine. It reads the token from its standard input, so that no list of processes and no
             *     shell's history shows it.
             */
            command: string;
            /** @description When it is good no more. */
            expiresAt: components["schemas"]["Moment"];
            /** @description The token; the server keeps only its digest, so this is the only time it is seen. */
            token: string;
        };
        /**
         * @description What can be at a path: `Type` in the columns `Attributes`.
         * @enum {string}
         */
        FileKind: "File" | "Directory" | "Symlink" | "BlockDevice" | "CharDevice" | "Fifo" | "Socket";
        /** @description File integrity monitoring in a workspace. */
        Fim: {
            /** @description How often lists and the inventory are collected. */
            collection: components["schemas"]["Collection"];
            /**
             * Format: int64
             * @description Machines enrolled.
             */
            machines: number;
            /** @description What has become of the recommended items. */
            recommended: components["schemas"]["RecommendedCounts"];
            /** @description The workspace's rules. */
            rules: components["schemas"]["RuleCounts"];
            /**
             * Format: int64
             * @description Seconds between the starts of two scans.
             */
            scanIntervalSeconds: number;
            /**
             * @description The published name of the solution that is on the workspace, `ChangeTracking`; null while monitoring is off, which
             *     removes it.
             */
            solution: string | null;
            /** @description Whether it is on. */
            state: components["schemas"]["FimState"];
        };
        /**
         * @description Whether file integrity monitoring is on in a workspace.
         * @enum {string}
         */
        FimState: "enabled" | "disabled" | "upgrade";
        /** @description A stretch that could not be watched. */
        Gap: {
            /** @description Why. */
            cause: string;
            /** @description The particulars. */
            detail: string;
            end: components["schemas"]["Moment"] | null;
            /** @description The machine's name. */
            machine: string;
            /** @description What was watching: `scan`, or `server` for what the server itself noticed. */
            provider: string;
            /** @description The path, the key, or `*` for everything. */
            scope: string;
            /** @description Since when. */
            start: components["schemas"]["Moment"];
            /** @description What kind of entities: `Files`, or `*` for all. */
            type: string;
        };
        /** @description Changes of one step of time. */
        HistogramStep: {
            /**
             * Format: int64
             * @description Entities that were not there before.
             */
            Added: number;
            /**
             * Format: int64
             * @description Entities that differ.
             */
            Modified: number;
            /**
             * Format: int64
             * @description Entities that are gone.
             */
            Removed: number;
            /** @description When the step starts. */
            t: components["schemas"]["Moment"];
            watched: components["schemas"]["Watched"] | null;
        };
        /** @description A stretch that differs, with some lines around it. */
        Hunk: {
            /** @description How many lines it has after. */
            afterLines: number;
            /** @description The number of its first line after, from 1; 0 if it has none. */
            afterStart: number;
            /** @description How many lines it has before. */
            beforeLines: number;
            /** @description The number of its first line before, from 1; 0 if it has none. */
            beforeStart: number;
            /** @description The lines in order. */
            lines: components["schemas"]["Line"][];
        };
        /** @description The directory that is asked for tokens. */
        KustoDirectory: {
            FirstPartyAuthorityUrl: string;
            KustoClientAppId: string;
            KustoClientRedirectUri: string;
            KustoServiceResourceId: string;
            LoginEndpoint: string;
            LoginMfaRequired: boolean;
        };
        /** @description A query, or a command that begins with a dot. */
        KustoRequest: {
            /** @description The query or the command. */
            csl: string;
            /** @description The database: a workspace's id or name. */
            db?: string | null;
            /** @description What is to hold for it, as JSON or as the text of JSON. */
            properties?: unknown;
        };
        /** @description Where the clients of the Kusto interface sign in. */
        KustoSignIn: {
            AzureAD: components["schemas"]["KustoDirectory"];
        };
        /** @description A table of an answer. */
        KustoTable: {
            Columns: components["schemas"]["KustoTableColumn"][];
            Rows: unknown[][];
            TableName: string;
        };
        /** @description A column of an answer. */
        KustoTableColumn: {
            ColumnName: string;
            ColumnType: string;
            DataType: string;
        };
        /** @description The answer to a command, in the first published shape. */
        KustoTables: {
            Tables: components["schemas"]["KustoTable"][];
        };
        /** @description A line of a stretch. */
        Line: {
            /** @description True if the text ends with it and has no line break there. */
            isUnended?: boolean;
            /** @description On which side it is. */
            kind: components["schemas"]["LineKind"];
            /** @description What it says, without its end. */
            text: string;
        };
        /**
         * @description On which side a line is.
         * @enum {string}
         */
        LineKind: "same" | "removed" | "added";
        /**
         * @description What a rule does at symbolic links.
         * @enum {string}
         */
        Links: "follow" | "ignore" | "manage";
        /** @description Several queries. */
        LogBatch: {
            requests: components["schemas"]["LogBatchRequest"][];
        };
        /** @description One query of several. */
        LogBatchRequest: {
            /** @description The query. */
            body: components["schemas"]["LogQuery"];
            /** @description What a call of its own would have as headers: `Prefer`. */
            headers?: {
                [key: string]: string;
            };
            /** @description By which its answer is known. */
            id: string;
            /** @description `POST`. */
            method?: string | null;
            /** @description `/query`. */
            path?: string | null;
            /** @description The workspace's id or name. */
            workspace: string;
        };
        /** @description A query. */
        LogQuery: {
            /** @description The query in KQL. */
            query: string;
            /** @description An ISO 8601 duration up to now, two moments, or a moment and a duration; all of time if absent. */
            timespan?: string | null;
            /** @description Further workspaces, each by name, id or resource id: a table of the query has the rows of all. */
            workspaces?: string[] | null;
        };
        /** @description A machine with its figures for a period. */
        Machine: {
            /** @description The agent's version. */
            agentVersion: string;
            /**
             * Format: int64
             * @description Of these, changes of files.
             */
            files: number;
            /** @description The machine's UUID, which is also the common name of its certificate. */
            id: string;
            lastScan?: components["schemas"]["Moment"] | null;
            lastSeen: components["schemas"]["Moment"] | null;
            /** @description The machine's name: `Computer` in every table. */
            name: string;
            nextScan?: components["schemas"]["Moment"] | null;
            /**
             * Format: int64
             * @description Stretches of this machine that are not watched right now.
             */
            openGaps: number;
            /** @description The operating system's name and version. */
            os: string;
            /** @description The operating system's family. */
            osKind: components["schemas"]["OsKind"];
            progress?: components["schemas"]["Progress"] | null;
            /** @description How changes are noticed there: `scan`, or what notices them in real time; null unless the agent is heard. */
            provider: string | null;
            /**
             * Format: int64
             * @description Of these, changes of registry keys and values.
             */
            registry: number;
            /**
             * Format: int64
             * @description Of these, changes of Windows services and Linux daemons.
             */
            services: number;
            /**
             * Format: int64
             * @description Of these, changes of installed software.
             */
            software: number;
            /**
             * Format: int64
             * @description Reports that wait on the machine to be sent, as the agent said last.
             */
            spoolRecords: number;
            state: components["schemas"]["AgentState"] | null;
            /** @description Whether it is heard now. */
            status: components["schemas"]["MachineStatus"];
            /**
             * Format: int64
             * @description Changes in the period.
             */
            total: number;
            /** @description Twelve steps of equal length that cover the period. */
            trend: components["schemas"]["TrendStep"][];
        };
        /**
         * @description Whether a machine is heard.
         * @enum {string}
         */
        MachineStatus: "online" | "stale" | "offline";
        /**
         * Format: date-time
         * @description A moment as the API writes it: ISO 8601 in UTC with `Z`.
         * @example 2026-11-22T18:00:00.0000000Z
         */
        Moment: string;
        /** @description What a new API token is made from. */
        NewApiToken: {
            /**
             * Format: int64
             * @description Seconds from now until it is good no more; without end if absent.
             */
            expiresInSeconds?: number | null;
            /** @description A name to know it by, unique. */
            name: string;
            /** @description `owner`, `reader` or `metrics-publisher`. */
            role: string;
            /** @description The workspace (id or name) that it is limited to; everything if absent. */
            scope?: string | null;
        };
        /** @description How long an enrolment token is to be good, and for whom. */
        NewEnrollmentToken: {
            /**
             * Format: int64
             * @description Seconds from now; an hour if nothing is said, at most 30 days.
             */
            expiresInSeconds?: number | null;
            /**
             * @description The name of a machine whose place the new one takes: that one is removed when the new one joins. The token lets
             *     nothing join that is called otherwise. Without it the new machine must have a name of its own.
             */
            replaces?: string | null;
        };
        /** @description A new password. */
        NewPassword: {
            /** @description The password so far; not needed in the first ten minutes of a session by a sign-in link, which may do without once. */
            currentPassword?: string | null;
            /** @description The new one: 10 to 1,000 characters. */
            newPassword: string;
        };
        /** @description What a new workspace is made from. */
        NewWorkspace: {
            /** @description Where it is; `local` if nothing is said. */
            location?: string | null;
            /** @description Letters, digits, `-`, `_` and `.`; at most 63 characters. */
            name: string;
            /** @description The subscription's name; `Local` if nothing is said. */
            subscription?: string | null;
        };
        /** @description A sign-in code that is good once. */
        OneTimeSignIn: {
            /** @description The code of the link. */
            code: string;
        };
        /**
         * @description The operating system's family.
         * @enum {string}
         */
        OsKind: "linux" | "windows";
        /** @description A process that had a part in a change which is put down to another one. */
        OtherActor: components["schemas"]["ChangeActor"] & {
            /**
             * @description True if the program is named as the process sees it, in a view of the file systems of its own: elsewhere on the
             *     machine that name is another file's, or may be. Absent if not.
             */
            hasOwnView?: boolean;
        };
        /**
         * @description What a rule's path is meant to name.
         * @enum {string}
         */
        PathType: "any" | "file" | "folder";
        /** @description What went wrong, as `application/problem+json`. */
        Problem: {
            /** @description What happened, to what, and what to do. */
            detail: string;
            /** @description The mistakes in a text that was sent. */
            diagnostics?: components["schemas"]["Diagnostic"][];
            /** @description What finds this call in the server's log. */
            requestId: string;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind of problem in words. */
            title: string;
            /** @description A URN that names the kind of problem; stays the same from version to version. */
            type: string;
        };
        /** @description How far a scan has come. */
        Progress: {
            /**
             * Format: int64
             * @description Bytes hashed.
             */
            bytesDone: number;
            /**
             * Format: int64
             * @description Bytes that there are to hash, where known.
             */
            bytesTotal?: number | null;
            /**
             * Format: int64
             * @description Entities seen.
             */
            filesDone: number;
            /**
             * Format: int64
             * @description Entities that there are, where known.
             */
            filesTotal?: number | null;
        };
        /** @description A question in KQL. */
        QueryRequest: {
            /** @description The query's text. */
            query: string;
            /**
             * @description Which `TimeGenerated` it may see: an ISO 8601 duration up to now (`P1D`), or two moments or a moment and a
             *     duration with a slash between. All time if absent.
             */
            timespan?: string | null;
        };
        /** @description An answer. */
        QueryResult: {
            /** @description The columns in order. */
            columns: components["schemas"]["Column"][];
            /** @description The rows: a value for each column. Moments are ISO 8601 with seven digits, spans of time `d.hh:mm:ss.fffffff`. */
            rows: unknown[][];
            /** @description What the answer cost. */
            stats: components["schemas"]["QueryStats"];
            /** @description True if rows are missing because a limit was reached. */
            truncated: boolean;
        };
        /** @description What an answer cost. */
        QueryStats: {
            /**
             * Format: int64
             * @description How long it took, in milliseconds.
             */
            elapsedMs: number;
            /**
             * Format: int64
             * @description Rows in the answer.
             */
            rows: number;
            /**
             * Format: int64
             * @description Rows that were read for it, where known.
             */
            scannedRows?: number | null;
        };
        /** @description The recommended items. */
        Recommended: {
            /** @description By type. */
            groups: components["schemas"]["RecommendedGroup"][];
        };
        /** @description The recommended items among a workspace's rules. */
        RecommendedCounts: {
            /**
             * @description The names of those that watch something else than what is recommended, whether they are in force or not: their
             *     type, path, exclusions, recursion, links or path type was edited.
             */
            changed: string[];
            /**
             * Format: int64
             * @description How many of them are in force, as they are recommended.
             */
            enabled: number;
            /** @description The names of those that no rule has, which enabling monitoring adds. */
            missing: string[];
            /**
             * Format: int64
             * @description How many there are.
             */
            total: number;
        };
        /** @description Recommended items of one type. */
        RecommendedGroup: {
            /** @description The items. */
            items: components["schemas"]["RecommendedItem"][];
            /** @description What a page calls it. */
            title: string;
            /** @description The type of the rules. */
            type: components["schemas"]["RuleType"];
        };
        /** @description One recommended item. */
        RecommendedItem: {
            /** @description The name of its rule. */
            name: string;
            /** @description The path that it monitors. */
            path: string;
        };
        /** @description A monitored entity's setting. */
        Rule: {
            /** @description True if the rule is in force. */
            enabled?: boolean;
            /** @description Patterns of what is left out. */
            exclude?: string[];
            /** @description The group it is shown in. */
            group?: string;
            /** @description What is done at symbolic links. */
            links?: components["schemas"]["Links"];
            /** @description The name, unique in its workspace. */
            name: string;
            /** @description The path pattern. */
            path: string;
            /** @description What the path is meant to name. */
            pathType?: components["schemas"]["PathType"];
            /** @description True if everything below a matched directory is monitored too. */
            recurse?: boolean;
            /** @description What it monitors. */
            type?: components["schemas"]["RuleType"];
            /** @description True if the text of the files is stored before and after a change, with secrets in known formats masked. */
            uploadContent?: boolean;
        };
        /** @description How many rules there are. */
        RuleCounts: {
            /**
             * Format: int64
             * @description Rules in force.
             */
            enabled: number;
            /**
             * Format: int64
             * @description All rules.
             */
            total: number;
        };
        /** @description What of a rule is to be different; what is absent stays. */
        RulePatch: {
            /** @description Whether it is in force. */
            enabled?: boolean | null;
            /** @description The new exclusions. */
            exclude?: string[] | null;
            /** @description The new group. */
            group?: string | null;
            links?: components["schemas"]["Links"] | null;
            /** @description The new name. */
            name?: string | null;
            /** @description The new path pattern. */
            path?: string | null;
            pathType?: components["schemas"]["PathType"] | null;
            /** @description Whether it reaches below matched directories. */
            recurse?: boolean | null;
            /** @description Whether the text of the files is stored before and after a change. */
            uploadContent?: boolean | null;
        };
        /**
         * @description What a rule monitors.
         * @enum {string}
         */
        RuleType: "linux-file" | "windows-file" | "registry";
        /** @description A rule that was saved, and what a person should know of it. */
        SavedRule: components["schemas"]["Rule"] & {
            /**
             * @description What may be unwise about it, though it is in order: a path that takes in nearly everything or what changes
             *     by itself, a variable that a service may not have, a recommended item that watches something else.
             */
            warnings: string[];
        };
        /** @description Who is signed in. */
        Session: {
            /**
             * @description True if setting a password asks for the current one: there is one, and the session did not come by a sign-in link
             *     in the last ten minutes, or has set one since.
             */
            asksCurrentPassword: boolean;
            /** @description True until the user has set a password. */
            mustSetPassword: boolean;
            /** @description The roles held, for any scope. */
            roles: string[];
            /** @description The user. */
            user: components["schemas"]["SessionUser"];
        };
        /** @description The user of a session. */
        SessionUser: {
            /** @description The name. */
            name: string;
        };
        /** @description A session that was just made. */
        SignedIn: components["schemas"]["Session"] & {
            /** @description What every call by the cookie sends as `Steadfast-Session-Key`. It is not shown again. */
            sessionKey: string;
        };
        /** @description A name and a password. */
        SignIn: {
            /** @description The user's name. */
            name: string;
            /** @description The password. */
            password: string;
        };
        /** @description A link by which one browser signs in as `admin`, once. */
        SignInLink: {
            /** @description When it ends, if it is not used before. */
            expiresAt: components["schemas"]["Moment"];
            /** @description The address of the page without TLS, which the server's own machine reaches; `null` if it is not served. */
            localPage?: string | null;
            /** @description The link's path and fragment, behind any address of the page. It is not shown again. */
            path: string;
        };
        /** @description The records of a workspace on the disk, and what is done to them in the background. */
        Storage: {
            /**
             * Format: int64
             * @description The free allowance of today: 500 MB for each machine.
             */
            allowanceBytes: number;
            /**
             * Format: date-time
             * @description When the day is over.
             */
            dayEnds: string;
            /** @description What was done to data files of all workspaces since the server started. */
            done: components["schemas"]["StorageWork"];
            /** @description True if the cap is reached: agents keep what they have until the day is over. */
            isCapReached: boolean;
            running: components["schemas"]["StorageJob"] | null;
            /** @description What its owner has set. */
            settings: components["schemas"]["StorageSettings"];
            /** @description The tables that have, or had, rows. */
            tables: components["schemas"]["StoredTable"][];
            /**
             * Format: int64
             * @description Billed bytes that have come in today (UTC).
             */
            usedTodayBytes: number;
        };
        /** @description A job on data files. */
        StorageJob: {
            /** @description The day whose files they are. */
            day: string;
            /**
             * Format: int64
             * @description Files.
             */
            files: number;
            /** @description `merge`: small files become large ones; `expire`: days older than the retention go. */
            kind: string;
            /**
             * Format: int64
             * @description Rows of these.
             */
            rows: number;
            /**
             * Format: int64
             * @description Rows done.
             */
            rowsDone: number;
            /**
             * Format: date-time
             * @description When it began.
             */
            started: string;
            /** @description The table. */
            table: string;
        };
        /** @description What a workspace's owner has set about its records. */
        StorageSettings: {
            /**
             * Format: int64
             * @description How many billed bytes may come in a day; any number if null.
             */
            dailyCapBytes: number | null;
            /**
             * Format: int32
             * @description How many days a table keeps its rows; for ever if null.
             */
            retentionDays: number | null;
            /** @description Tables that keep their rows for another number of days. */
            tables?: {
                [key: string]: number;
            };
        };
        /** @description Work on data files since the server started. */
        StorageWork: {
            /**
             * Format: int64
             * @description Files let go because their days were too old.
             */
            filesExpired: number;
            /**
             * Format: int64
             * @description Files that came out of them.
             */
            filesMade: number;
            /**
             * Format: int64
             * @description Files that went into them.
             */
            filesMerged: number;
            /** @description Why the last job that failed did, if it was this workspace's; its files stay as they were. */
            lastFailure: string | null;
            /**
             * Format: int64
             * @description Merges finished.
             */
            merges: number;
        };
        /** @description A table on the disk. */
        StoredTable: {
            /**
             * Format: int64
             * @description Billed bytes that ever came in.
             */
            billedBytes: number;
            /**
             * Format: int64
             * @description Rows of these that are in memory; they are in the ingest log too.
             */
            bufferedRows: number;
            /**
             * Format: int64
             * @description Bytes of these.
             */
            bytes: number;
            /**
             * Format: int64
             * @description Bytes of files that have left the table and are about to be removed.
             */
            departedBytes: number;
            /**
             * Format: int64
             * @description Data files.
             */
            files: number;
            /** @description The first day in the files; null if there are none. */
            firstDay: string | null;
            /** @description True if its rows count as data volume. */
            isBillable: boolean;
            /** @description The last day in the files; null if there are none. */
            lastDay: string | null;
            /** @description The name. */
            name: string;
            /**
             * Format: int32
             * @description How many days it keeps its rows; for ever if null.
             */
            retentionDays: number | null;
            /**
             * Format: int64
             * @description Rows, in memory and in files.
             */
            rows: number;
        };
        /** @description The dashboard's figures for a period. */
        Summary: {
            /** @description Changes by `ChangeCategory`; every category is there. */
            byCategory: {
                [key: string]: number;
            };
            /** @description Changes by `ConfigChangeType`. */
            byType: {
                [key: string]: number;
            };
            /** @description Changes by time, in steps of equal length that cover the period. */
            histogram: components["schemas"]["HistogramStep"][];
            /**
             * Format: int64
             * @description Machines enrolled.
             */
            machines: number;
            /**
             * Format: int64
             * @description Of these, machines heard within the last three heartbeats.
             */
            machinesReporting: number;
            /**
             * Format: int64
             * @description Stretches that are not watched right now.
             */
            openGaps: number;
            /**
             * Format: int64
             * @description Changes in the period of the same length before it.
             */
            previousTotal: number;
            /** @description How much of that period was watched: a total of what nobody watched cannot be compared with. */
            previousWatched: components["schemas"]["Watched"];
            /**
             * Format: int64
             * @description How long one step of the histogram is, in seconds.
             */
            stepSeconds: number;
            /**
             * Format: int64
             * @description Changes in the period.
             */
            total: number;
        };
        /** @description One table. */
        TableSchema: {
            /** @description The columns in order. */
            columns: components["schemas"]["Column"][];
            /** @description The name. */
            name: string;
        };
        /** @description The tables that can be asked. */
        TableSchemas: {
            /** @description In order of their names. */
            tables: components["schemas"]["TableSchema"][];
        };
        /** @description The form of a client that asks for an access token. */
        TokenForm: {
            /** @description The API token's id or name. */
            client_id: string;
            /** @description The API token. */
            client_secret: string;
            /** @description `client_credentials`. */
            grant_type: string;
        };
        /** @description One of the steps of equal length that a trend is made of. */
        TrendStep: {
            /**
             * Format: int64
             * @description How many changes it has.
             */
            changes: number;
            watched: components["schemas"]["Watched"] | null;
        };
        /** @description A question in KQL of which only the correctness is asked. */
        ValidateRequest: {
            /** @description The query's text. */
            query: string;
        };
        /** @description What is wrong with a query. */
        Validation: {
            /** @description Nothing, if it is correct. */
            diagnostics: components["schemas"]["Diagnostic"][];
        };
        /**
         * @description How much of a stretch of time was watched.
         * @enum {string}
         */
        Watched: "all" | "most" | "part" | "nothing";
        /** @description A workspace as the list of workspaces shows it. */
        Workspace: {
            /**
             * Format: int64
             * @description Changes of the last seven days; null when monitoring is off.
             */
            changesLastWeek: number | null;
            /** @description The immutable id of the data collection rule by which programs send records directly. */
            dcrImmutableId: string;
            /** @description The workspace's UUID. */
            id: string;
            /**
             * Format: int64
             * @description Of these, machines that run Linux.
             */
            linux: number;
            /** @description Where the workspace is, as its owner calls it. */
            location: string;
            /**
             * Format: int64
             * @description Machines enrolled.
             */
            machines: number;
            /**
             * Format: int64
             * @description Of the machines, those that were heard within the last three heartbeats.
             */
            machinesReporting: number;
            /** @description The unique name, which works wherever the id does. */
            name: string;
            /**
             * Format: int64
             * @description Stretches that are not watched right now, of all machines: each is a row of `Coverage` without an end.
             */
            openGaps: number;
            /**
             * Format: int64
             * @description Of these, those where the first look at what a rule names is still under way: nothing is wrong with them, and
             *     they end by themselves.
             */
            pendingBaselines: number;
            /** @description Whether monitoring is on. */
            state: components["schemas"]["FimState"];
            /** @description The subscription that it belongs to. */
            subscription: string;
            /** @description The last seven days, the oldest first. */
            trend: components["schemas"]["TrendStep"][];
            /**
             * Format: int64
             * @description Of these, machines that run Windows.
             */
            windows: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    exchange_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Any word. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["TokenForm"];
            };
        };
        responses: {
            /** @description The access token, seen this one time. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessToken"];
                };
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    discover: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Any word. */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where a client finds what. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Discovery"];
                };
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    list_recommended: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The items. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Recommended"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_capabilities: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Operators, functions and aggregates. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Capabilities"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_tables: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tables with their columns. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TableSchemas"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    validate_query: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ValidateRequest"];
            };
        };
        responses: {
            /** @description The mistakes; none if it is correct. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Validation"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who is signed in. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sign_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignIn"];
            };
        };
        responses: {
            /** @description Signed in; the session is in a cookie, and its key in the answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sign_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session has ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sign_in_once: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OneTimeSignIn"];
            };
        };
        responses: {
            /** @description Signed in; the session is in a cookie, and its key in the answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_sign_in_link: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The link; it is not shown again. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInLink"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken"][];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewApiToken"];
            };
        };
        responses: {
            /** @description The token, seen this one time. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedApiToken"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPassword"];
            };
        };
        responses: {
            /** @description The password is set. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_workspaces: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workspace"][];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_workspace: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewWorkspace"];
            };
        };
        responses: {
            /** @description Made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workspace"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_workspace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workspace. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workspace"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_workspace: {
        parameters: {
            query?: {
                /** @description The workspace's name, as a confirmation that it is the one that is meant. */
                confirm?: string;
            };
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_changes: {
        parameters: {
            query?: {
                /** @description What happened to it. */
                category?: components["schemas"]["ChangeCategory"];
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description The first moment of the period; a week before its end if absent. */
                from?: string;
                /** @description How many changes a page has: 100 if absent, at most 1,000. */
                limit?: number;
                /** @description The machine's name or id. */
                machine?: string;
                /** @description What path, machine or rule must contain; case does not matter. */
                q?: string;
                /** @description The order: the newest first if absent. */
                sort?: "-time" | "time" | "machine" | "-machine" | "entity" | "-entity" | "type" | "-type" | "category" | "-category";
                /** @description The first moment after the period; now if absent. */
                to?: string;
                /** @description The kind of entity. */
                type?: components["schemas"]["ChangeType"];
            };
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangePage"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_change: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The change's id. */
                id: string;
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The change. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangeDetail"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_content: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The change's id. */
                id: string;
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The difference. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangeContent"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stream_changes: {
        parameters: {
            query?: {
                /** @description The id of the last event seen, or a moment; from now on if absent. `Last-Event-ID` does the same. */
                after?: string;
            };
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events without end. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Change"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_gaps: {
        parameters: {
            query?: {
                /** @description The first moment in it. */
                from?: string;
                /** @description The first moment after it; now if absent. */
                to?: string;
            };
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stretches; none means that everything was watched. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gap"][];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_enrollment_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NewEnrollmentToken"] | null;
            };
        };
        responses: {
            /** @description The token, seen this one time. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrollmentToken"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_fim: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fim"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    edit_collection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CollectionPatch"];
            };
        };
        responses: {
            /** @description Set. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fim"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    disable_fim: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Off. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fim"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enable_fim: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EnableFim"] | null;
            };
        };
        responses: {
            /** @description On. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fim"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_machines: {
        parameters: {
            query?: {
                /** @description The first moment in it. */
                from?: string;
                /** @description The first moment after it; now if absent. */
                to?: string;
            };
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Machine"][];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_machine: {
        parameters: {
            query?: {
                /** @description The first moment in it. */
                from?: string;
                /** @description The first moment after it; now if absent. */
                to?: string;
            };
            header?: never;
            path: {
                /** @description The machine's id or name. */
                machine: string;
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The machine. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Machine"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_machine: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The machine's id or name. */
                machine: string;
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    run_query: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QueryRequest"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueryResult"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_query_as_arrow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QueryRequest"];
            };
        };
        responses: {
            /** @description The rows; the header `Steadfast-Truncated` is `true` if there were more, and they were cut at the server's limit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.apache.arrow.file": number[];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_query: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QueryRequest"];
            };
        };
        responses: {
            /** @description The rows; the header `Steadfast-Truncated` is `true` if there were more, and they were cut at the server's limit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_query_as_ndjson: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QueryRequest"];
            };
        };
        responses: {
            /** @description The rows; the header `Steadfast-Truncated` is `true` if there were more, and they were cut at the server's limit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_query_as_parquet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QueryRequest"];
            };
        };
        responses: {
            /** @description The rows; the header `Steadfast-Truncated` is `true` if there were more, and they were cut at the server's limit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.apache.parquet": number[];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_rules: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rules. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rule"][];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Rule"];
            };
        };
        responses: {
            /** @description Added. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedRule"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The rule's name. */
                name: string;
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rule. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rule"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The rule's name. */
                name: string;
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    edit_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The rule's name. */
                name: string;
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RulePatch"];
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedRule"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    disable_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The rule's name. */
                name: string;
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Out of force. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedRule"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enable_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The rule's name. */
                name: string;
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In force. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedRule"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_storage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tables, the settings and the work in the background. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Storage"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    edit_storage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageSettings"];
            };
        };
        responses: {
            /** @description Set. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Storage"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    summarize_workspace: {
        parameters: {
            query?: {
                /** @description The first moment in it. */
                from?: string;
                /** @description The first moment after it; now if absent. */
                to?: string;
            };
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The figures. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Summary"];
                };
            };
            /** @description What went wrong, as RFC 9457. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_records: {
        parameters: {
            query?: {
                /** @description `2023-01-01`, or another published version: they do not differ in what is sent. */
                "api-version"?: string;
            };
            header?: never;
            path: {
                /** @description The immutable id of the workspace's data collection rule. */
                dcr: string;
                /** @description `Custom-` or `Microsoft-` and the table's name. */
                stream: string;
            };
            cookie?: never;
        };
        /** @description The records, also by gzip. */
        requestBody: {
            content: {
                "application/json": Record<string, never>[];
            };
        };
        responses: {
            /** @description Stored. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    post_log_batch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogBatch"];
            };
        };
        responses: {
            /** @description An answer for each, in the published shape. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    discover_for_kusto: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where the client signs in. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KustoSignIn"];
                };
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    post_kusto_command: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KustoRequest"];
            };
        };
        responses: {
            /** @description What the command shows. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KustoTables"];
                };
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    get_resource_query: {
        parameters: {
            query: {
                /** @description The query in KQL. */
                query: string;
                /** @description As in the body of the same call by POST. */
                timespan?: string;
                /** @description With commas between them. */
                workspaces?: string;
            };
            header?: never;
            path: {
                /** @description The rest of the resource's id, and `/query`. */
                resource: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tables of columns and rows, in the published shape. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    post_resource_query: {
        parameters: {
            query?: {
                /** @description As in the body. */
                timespan?: string;
            };
            header?: never;
            path: {
                /** @description The rest of the resource's id, and `/query`. */
                resource: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogQuery"];
            };
        };
        responses: {
            /** @description Tables of columns and rows, in the published shape. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    get_log_query: {
        parameters: {
            query: {
                /** @description The query in KQL. */
                query: string;
                /** @description As in the body of the same call by POST. */
                timespan?: string;
                /** @description With commas between them. */
                workspaces?: string;
            };
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tables of columns and rows, in the published shape. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    post_log_query: {
        parameters: {
            query?: {
                /** @description As in the body. */
                timespan?: string;
            };
            header?: never;
            path: {
                /** @description The workspace's id or name. */
                ws: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogQuery"];
            };
        };
        responses: {
            /** @description Tables of columns and rows, in the published shape. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    post_kusto_query: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KustoRequest"];
            };
        };
        responses: {
            /** @description Frames, in the published shape. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description What went wrong, in the shape that the interface's clients expect. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
}
