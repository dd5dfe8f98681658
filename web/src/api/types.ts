import type { components } from './schema';

type Schemas = components['schemas'];

export type Session = Schemas['Session'];
export type SignedIn = Schemas['SignedIn'];
export type Workspace = Schemas['Workspace'];
export type Summary = Schemas['Summary'];
export type Watched = Schemas['Watched'];
export type TrendStep = Schemas['TrendStep'];
export type Machine = Schemas['Machine'];
export type Change = Schemas['Change'];
export type ChangeCategory = Change['category'];
export type ChangeType = Change['type'];
export type FileKind = Schemas['FileKind'];
export type ChangeDetail = Schemas['ChangeDetail'];
export type ChangePage = Schemas['ChangePage'];
export type Attribute = ChangeDetail['attrs'][number];
export type Gap = Schemas['Gap'];
export type Rule = Schemas['Rule'];
export type FimStatus = Schemas['Fim'];
export type RecommendedGroup = Schemas['RecommendedGroup'];
export type QueryResult = Schemas['QueryResult'];
export type QueryColumn = QueryResult['columns'][number];
export type QuerySchema = Schemas['TableSchemas'];
export type Capabilities = Schemas['Capabilities'];
export type Diagnostic = Schemas['Diagnostic'];
export type EnrollmentToken = Schemas['EnrollmentToken'];
export type ProblemBody = Schemas['Problem'];
