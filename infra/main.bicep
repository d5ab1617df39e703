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

@allowed(['1000', '10000'])
@description('Drones at one message per second that the sizes below are meant for (profiles.json; docs/scaling.md says how they come about). Each of them can be overridden by its own parameter.')
param fleetProfile string = '1000'

@description('Event Hubs partitions: the most batches that are processed side by side. Cannot be changed later in the Standard tier. 0: the profile\'s.')
@minValue(0)
@maxValue(32)
param partitionCount int = 0

@description('Event Hubs throughput units to start with; it inflates by itself up to maxThroughputUnits. 0: the profile\'s.')
@minValue(0)
@maxValue(40)
param throughputUnits int = 0

@description('Upper limit of the automatic inflate. 0: the profile\'s.')
@minValue(0)
@maxValue(40)
param maxThroughputUnits int = 0

@description('Request units per second of the messages in Cosmos DB (a multiple of 100): provisioned, or the limit of their autoscale. 0: the profile\'s.')
@minValue(0)
param cosmosMaxThroughput int = 0

@description('Have the throughput of the messages follow the load. Under a steady load it costs half as much again; what is decided when the container is made stays.')
param cosmosAutoscale bool = false

@description('Autoscale limit that the ledger and all else in Cosmos DB share (a multiple of 1,000). 0: the profile\'s.')
@minValue(0)
param ledgerMaxThroughput int = 0

@allowed([0, 512, 2048, 4096])
@description('Memory of an instance in MB; cores come with it (2,048 MB is one). 0: the profile\'s.')
param instanceMemoryMB int = 0

@description('Instances that the function app may grow to. 0: the profile\'s.')
@minValue(0)
@maxValue(1000)
param maximumInstanceCount int = 0

@description('Control queues of the Azure Storage provider: at most so many instances share the durable work. Cannot be changed while orchestrations run. 0: the profile\'s.')
@minValue(0)
@maxValue(16)
param durablePartitionCount int = 0

@allowed(['Standard_LRS', 'Standard_ZRS'])
@description('Redundancy of both storage accounts. Standard_ZRS needs a region with availability zones.')
param storageSku string = 'Standard_LRS'

@allowed(['storage', 'scheduler'])
@description('Where the durable engine keeps its work: queues and tables of the storage account, or the Durable Task Scheduler.')
param durableBackend string = 'storage'

@allowed(['Consumption', 'Dedicated'])
@description('SKU of the Durable Task Scheduler, where durableBackend is scheduler.')
param schedulerSku string = 'Consumption'

@description('Capacity units of a Dedicated scheduler: 2,000 actions per second each.')
@minValue(1)
@maxValue(3)
param schedulerCapacity int = 1

@description('Reach storage and Cosmos DB through private endpoints in a virtual network only. Event Hubs stays reachable from outside: that is where drones send to.')
param vnetEnabled bool = false

@description('Also keep every event as Avro files (Event Hubs capture).')
param capture bool = false

@description('Client id of the app registration that people and programs sign in to. It must define the app roles GetStatus, SendTelemetry and Operate (docs/deployment.md says how).')
param authClientId string

@description('E-mail address that alerts go to. Empty: alerts are only shown in the portal.')
param alertEmail string = ''

@description('URLs (https, separated by commas) that are told of drones\' alerts; empty: nobody.')
param alertWebhooks string = ''

@description('What those notices are signed with: whsec_ and base64.')
@secure()
param alertWebhookSecret string = ''

var size = loadJsonContent('profiles.json')[fleetProfile]
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
    sku: storageSku
    publicAccess: !vnetEnabled
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
    partitionCount: partitionCount > 0 ? partitionCount : size.partitionCount
    throughputUnits: throughputUnits > 0 ? throughputUnits : size.throughputUnits
    maxThroughputUnits: maxThroughputUnits > 0 ? maxThroughputUnits : size.maxThroughputUnits
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
    maxThroughput: cosmosMaxThroughput > 0 ? cosmosMaxThroughput : size.cosmosMaxThroughput
    autoscale: cosmosAutoscale
    ledgerMaxThroughput: ledgerMaxThroughput > 0 ? ledgerMaxThroughput : size.ledgerMaxThroughput
    publicAccess: !vnetEnabled
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
    alertWebhooks: alertWebhooks
    alertWebhookSecret: alertWebhookSecret
    maximumInstanceCount: maximumInstanceCount > 0 ? maximumInstanceCount : size.maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB > 0 ? instanceMemoryMB : size.instanceMemoryMB
    alwaysReady: size.alwaysReady
    httpConcurrency: size.httpConcurrency
    durablePartitionCount: durablePartitionCount > 0 ? durablePartitionCount : size.durablePartitionCount
    maxWaitTime: size.maxWaitTime
    sizedSettings: size.appSettings
    schedulerEndpoint: durableBackend == 'scheduler' ? scheduler.outputs.endpoint : ''
    schedulerTaskHub: durableBackend == 'scheduler' ? scheduler.outputs.taskHubName : ''
    subnetId: vnetEnabled ? network.outputs.appSubnetId : ''
  }
}

module scheduler 'modules/scheduler.bicep' = if (durableBackend == 'scheduler') {
  name: 'scheduler'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    skuName: schedulerSku
    capacity: schedulerCapacity
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    hostAccountId: storage.outputs.hostAccountId
    dataAccountId: storage.outputs.dataAccountId
    cosmosAccountId: cosmos.outputs.accountId
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
output AUTH_CLIENT_ID string = authClientId
output EVENT_HUB_NAMESPACE string = eventHubs.outputs.namespaceHost
