// Everything the app needs in Azure: `azd up` deploys it into one resource group.
// No account key is used anywhere: the app's identity has a data-plane role at each service, and key access is off.
targetScope = 'subscription'

@minLength(1)
@maxLength(32)
@description('Name of the azd environment; part of every resource name.')
param environmentName string

@minLength(1)
@description('Region. Flex Consumption must be offered there.')
param location string

@description('Event Hubs partitions: the most batches that are processed side by side. Cannot be changed later in the Standard tier.')
@minValue(1)
@maxValue(32)
param partitionCount int = 8

@description('Event Hubs throughput units to start with; it inflates by itself up to maxThroughputUnits.')
param throughputUnits int = 1

@description('Upper limit of the automatic inflate.')
param maxThroughputUnits int = 10

@description('Autoscale limit of the Cosmos DB database, in request units per second.')
param cosmosMaxThroughput int = 4000

@description('Instances the function app may grow to.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Also keep every event as Avro files (Event Hubs capture).')
param capture bool = false

@description('Client id of the app registration that people and programs sign in to. It must define the app roles GetStatus, SendTelemetry and Operate (docs/deployment.md says how).')
param authClientId string

@description('E-mail address that alerts go to. Empty: alerts are only shown in the portal.')
param alertEmail string = ''

var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: 'id-${suffix}', location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module eventHubs 'modules/event-hubs.bicep' = {
  name: 'event-hubs'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    partitionCount: partitionCount
    throughputUnits: throughputUnits
    maxThroughputUnits: maxThroughputUnits
    capture: capture
    captureStorageAccountId: storage.outputs.dataAccountId
  }
}

module cosmos 'modules/cosmos.bicep' = {
  name: 'cosmos'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    maxThroughput: cosmosMaxThroughput
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorageName: storage.outputs.hostAccountName
    deploymentContainerUrl: storage.outputs.deploymentContainerUrl
    dataBlobEndpoint: storage.outputs.dataBlobEndpoint
    batchContainer: storage.outputs.batchContainer
    eventHubNamespaceHost: eventHubs.outputs.namespaceHost
    eventHubName: eventHubs.outputs.hubName
    consumerGroup: eventHubs.outputs.consumerGroupName
    cosmosEndpoint: cosmos.outputs.endpoint
    cosmosDatabase: cosmos.outputs.databaseName
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    authClientId: authClientId
    maximumInstanceCount: maximumInstanceCount
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    applicationInsightsId: monitoring.outputs.id
    eventHubNamespaceId: eventHubs.outputs.namespaceId
    alertEmail: alertEmail
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output SERVICE_API_NAME string = functionApp.outputs.name
output SERVICE_API_URL string = functionApp.outputs.url
output EVENT_HUB_NAMESPACE string = eventHubs.outputs.namespaceHost
