/** The three faces of what was found in files and configurations. */
import { FoundPage } from './Found'

export const SecretsPage = () => <FoundPage kind="secrets" />
export const MalwarePage = () => <FoundPage kind="malware" />
export const MisconfigurationsPage = () => <FoundPage kind="misconfigurations" />
