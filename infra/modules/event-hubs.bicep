// The hub drones send to. The app may receive and send, nothing else; nobody may use a key.
param suffix string
param location string
param tags object
param principalId string
param partitionCount int
param throughputUnits int
param maxThroughputUnits int
param capture bool
param captureStorageAccountId string

@description('Hours an event is kept: how long the pipeline may be stalled without loss.')
param retentionHours int = 72

// The names that settings/ has as defaults.
var hubName = 'telemetry'
var consumerGroupName = 'dronetelemetry'

var eventHubsDataReceiver = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
var eventHubsDataSender = '2b629674-e913-4c01-ae53-ef4638d8f975'
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: 'evhns-${suffix}'
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Standard', capacity: throughputUnits }
  identity: { type: 'SystemAssigned' }
  properties: {
    disableLocalAuth: true
    isAutoInflateEnabled: true
    maximumThroughputUnits: maxThroughputUnits
    minimumTlsVersion: '1.2'
  }

  resource hub 'eventhubs' = {
    name: hubName
    properties: {
      partitionCount: partitionCount
      retentionDescription: { cleanupPolicy: 'Delete', retentionTimeInHours: retentionHours }
      captureDescription: capture ? {
        enabled: true
        encoding: 'Avro'
        intervalInSeconds: 300
        sizeLimitInBytes: 314572800
        skipEmptyArchives: true
        destination: {
          name: 'EventHubArchive.AzureBlockBlob'
          identity: { type: 'SystemAssigned' }
          properties: {
            storageAccountResourceId: captureStorageAccountId
            blobContainer: 'capture'
            archiveNameFormat: '{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}'
          }
        }
      } : null
    }
    dependsOn: [captureRole]

    resource group 'consumergroups' = {
      name: consumerGroupName
    }
  }
}

resource captureStorage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: last(split(captureStorageAccountId, '/'))
}

resource captureRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (capture) {
  name: guid(captureStorageAccountId, namespace.id, blobDataContributor)
  scope: captureStorage
  properties: {
    principalId: namespace.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}

resource roles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [eventHubsDataReceiver, eventHubsDataSender]: {
    name: guid(namespace.id, principalId, role)
    scope: namespace
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

output namespaceId string = namespace.id
output namespaceHost string = '${namespace.name}.servicebus.windows.net'
output hubName string = hubName
output consumerGroupName string = consumerGroupName
